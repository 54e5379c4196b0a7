# --- copy jobs: bytes go from host to host, detached from whoever asked. jobs/JOB/state is "STATE STEP EXIT" ---
# Donor: send. Target: open, receive, then prepare, aside, move, own, installed (and restore, while a clean puts things back).

set_job() {
  JOB=$1 JOB_DIR=$JOBS/$1 STAGING=$OURS/staging-$1 ASIDE=$OURS/aside-$1
}

# Synced: after a power cut the step decides what a clean may delete.
set_state() {
  store "$JOB_DIR/state" 0600 "$1 $2 ${3:--}"
}

# A job whose processes are gone has failed, whatever it wrote last.
read_state() {
  JOB_STATE=absent JOB_STEP='' JOB_EXIT=''
  [[ -e $JOB_DIR/state ]] || return 0
  read -r JOB_STATE JOB_STEP JOB_EXIT <"$JOB_DIR/state"
  JOB_EXIT=${JOB_EXIT#-}
  [[ $JOB_STATE == running ]] || return 0
  group_alive "$JOB_DIR/group" && return 0
  # It may have ended between the two looks.
  read -r JOB_STATE JOB_STEP JOB_EXIT <"$JOB_DIR/state"
  JOB_EXIT=${JOB_EXIT#-}
  [[ $JOB_STATE != running ]] || JOB_STATE=failed JOB_EXIT=lost
}

# While the stream runs the kernel counts for us; afterwards dd has said it.
job_bytes() {
  local line pid
  BYTES=0
  if [[ -s $JOB_DIR/dd.log ]]; then
    while IFS= read -r line; do
      [[ ! $line =~ ^([0-9]+)\ bytes ]] || BYTES=${BASH_REMATCH[1]}
    done <"$JOB_DIR/dd.log"
  elif [[ -e $JOB_DIR/dd.pid ]]; then
    read -r pid <"$JOB_DIR/dd.pid"
    while read -r line pid; do
      [[ $line != wchar: ]] || BYTES=$pid
    done 2>/dev/null <"/proc/$pid/io"
  fi
}

say_job() {
  local log="$JOB_DIR/log" gtid=''
  read_state
  job_bytes
  [[ ! -e $JOB_DIR/gtid ]] || read -r gtid <"$JOB_DIR/gtid"
  [[ -s $log ]] || log=$JOB_DIR/backup.log
  say state "$JOB_STATE"
  say step "$JOB_STEP"
  say bytes "$BYTES"
  say exit "$JOB_EXIT"
  say gtid "$gtid"
  say_attempt "$JOB"
  say log "$(tail -c 1024 "$log" 2>/dev/null)"
}

verb_job_status() {
  set_job "${ARG[job]}"
  say_job
}

# start_job STEP: this same program, detached, in a process group of its own.
# Until the new process has noted itself, this order stands for it: nobody may see a running job without a process.
start_job() {
  note_group "$JOB_DIR/group"
  set_state running "$1"
  as_noted_daemon "$JOB_DIR/group" "$SELF" "run-$1" "job=$JOB"
}

verb_job_key() {
  set_job "${ARG[job]}"
  mkdir -p "$JOB_DIR"
  if [[ ! -s $JOB_DIR/key.pub ]]; then
    rm -f "$JOB_DIR/key"
    ssh-keygen -q -t ed25519 -N '' -C "standfast-job-$JOB" -f "$JOB_DIR/key" </dev/null || refuse Unverified "job-key: ssh-keygen failed on $HOSTNAME"
  fi
  say public "$(<"$JOB_DIR/key.pub")"
}

# Only this job's line changes. The file and its folder belong to root, so the account cannot put a link in their place.
write_job_key_line() {
  local line text='' file keys
  account_keys_file
  file=$KEYS_FILE
  # Orders of copies and of filesets have locks of their own.
  exec {keys}>"$RUN/keys-lock"
  flock -w 5 "$keys" || refuse_busy
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line == *" standfast-job-$JOB" ]] || text+=$line$'\n'
  done <"$file"
  text+=${1-}
  [[ $(<"$file") == "${text%$'\n'}" ]] || "${STORE:-store}" "$file" 0644 "${text%$'\n'}"
  exec {keys}>&-
}

account_keys_file() {
  local home
  home=$(getent passwd "${CONF[account]}" | cut -d: -f6)
  KEYS_FILE=$home/.ssh/authorized_keys
  [[ -n $home && -f $KEYS_FILE ]] || refuse Unverified "$HOSTNAME has no account ${CONF[account]} with $KEYS_FILE; run install.sh there"
}

# foreign_entries: names everything in the data directory that a fresh installation does not have.
foreign_entries() {
  local path name
  for path in "${CONF[datadir]}"/{*,.[!.]*}; do
    name=${path##*/}
    [[ -e $path || -L $path ]] || continue
    case $name in
      mysql | performance_schema | sys | lost+found) [[ ! -d $path ]] || continue ;;
      test) [[ -n $(ls -A "$path") ]] || continue ;;
      aria_log.* | aria_log_control | ib_logfile[0-9]* | ibdata[0-9]* | ibtmp[0-9]* | ib_buffer_pool | undo[0-9]*) continue ;;
      *.flag | *.pid | *.err | mysql_upgrade_info | mariadb_upgrade_info | multi-master.info | tc.log | ddl_recovery*.log) continue ;;
      .standfast) only_this_job && continue ;;
    esac
    printf '%s ' "$name"
  done
}

only_this_job() {
  [[ -z $(ls -A -I "staging-$JOB" "$OURS") ]]
}

# What copies that were not cleaned up have left here: the orders that remove it.
orders_to_clean() {
  local path
  load_records
  for path in "$OURS"/staging-*; do
    [[ ! -d $path || $path == "$STAGING" ]] || printf 'standfast-host job-clean owner=%s job=%s; ' "$OWNER" "${path##*/staging-}"
  done
}

check_target_is_fresh() {
  local foreign option orders
  [[ -d ${CONF[datadir]} ]] || refuse Unsafe "$HOSTNAME has no data directory ${CONF[datadir]}; install the database server first"
  mysqld_gone_soon || refuse Unsafe "mysqld runs on $HOSTNAME (process ${MYSQLD[0]}); a copy goes only to a stopped server; nothing was changed"
  foreign=$(foreign_entries)
  if [[ -n $foreign ]]; then
    orders=$(orders_to_clean)
    refuse Unsafe "${CONF[datadir]} on $HOSTNAME is not a fresh installation, it has: ${foreign:0:400}; nothing was changed; ${orders:+a copy was not cleaned up: once its run has ended, as root on $HOSTNAME: ${orders}}if that data is not needed, remove it by hand"
  fi
  for option in innodb_data_home_dir innodb_log_group_home_dir innodb_undo_directory; do
    server_option "$option"
    [[ -z $OPTION || $OPTION == . || $OPTION == ./ || $OPTION -ef ${CONF[datadir]} ]] ||
      refuse Unsafe "$HOSTNAME keeps data outside ${CONF[datadir]} ($option=$OPTION), which a copy job does not handle; nothing was changed"
  done
  free_bytes
  ((FREE_BYTES >= ARG[bytes] * 13 / 10)) ||
    refuse Unsafe "${CONF[datadir]} on $HOSTNAME has $FREE_BYTES bytes free; the copy needs ${ARG[bytes]} × 1.3; nothing was changed"
}

# Says before anything is made whether a copy may come here.
verb_job_check() {
  set_job check
  check_target_is_fresh
}

verb_job_open() {
  local public=${ARG[public]}
  set_job "${ARG[job]}"
  read_state
  if [[ $JOB_STATE == absent ]]; then
    check_target_is_fresh
    mkdir -p "$JOB_DIR" && mkdir -p "$STAGING" || refuse Unverified "job-open: cannot make $STAGING on $HOSTNAME"
    set_state 'done' open
  fi
  if [[ $JOB_STEP == open || $JOB_STATE == absent ]]; then
    [[ $public =~ ^ssh-ed25519\ [^\ ]+ ]]
    write_job_key_line "restrict,from=\"${ARG[from]}\",command=\"sudo -n $INSTALLED job-receive job=$JOB\" ${BASH_REMATCH[0]} standfast-job-$JOB"
  fi
  say_job
}
