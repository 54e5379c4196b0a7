# --- installing what was received, and undoing or keeping it ---

# 10.11 writes the first name, 11 the second.
binlog_info_file() {
  local name
  for name in xtrabackup_binlog_info mariadb_backup_binlog_info; do
    BINLOG_INFO=$STAGING/$name
    [[ ! -s $BINLOG_INFO ]] || return 0
  done
  return 1
}

check_snapshot_is_whole() {
  job_bytes
  ((BYTES == ARG[bytes])) ||
    refuse Unverified "the donor sent ${ARG[bytes]} bytes and $HOSTNAME received $BYTES; nothing was installed; clean the job and copy again"
  binlog_info_file && [[ -e $STAGING/xtrabackup_checkpoints || -e $STAGING/mariadb_backup_checkpoints ]] ||
    refuse Unverified "the snapshot on $HOSTNAME is not complete (its binlog position or checkpoints are missing); nothing was installed"
}

verb_job_install() {
  set_job "${ARG[job]}"
  read_state
  case "$JOB_STATE $JOB_STEP" in
    'done receive')
      check_snapshot_is_whole
      mysqld_gone_soon || refuse Unsafe "mysqld runs on $HOSTNAME (process ${MYSQLD[0]}); the snapshot was not installed"
      start_job prepare ;;
    *' prepare' | *' aside' | *' move' | *' own' | *' installed') ;;
    *) refuse Unsafe "the job $JOB on $HOSTNAME has nothing to install (it is ${JOB_STEP:-not open}, $JOB_STATE)" ;;
  esac
  say_job
}

# Everything but our own folder and the file system's.
data_entries() {
  local path
  ENTRIES=()
  for path in "$1"/{*,.[!.]*}; do
    [[ -e $path || -L $path ]] || continue
    [[ ${path##*/} == .standfast || ${path##*/} == lost+found ]] || ENTRIES+=("$path")
  done
}

move_entries() {
  data_entries "$1"
  ((${#ENTRIES[@]} == 0)) || mv -t "$2" -- "${ENTRIES[@]}"
}

run_prepare() {
  local step
  for step in prepare aside move own; do
    set_state running "$step"
    if ! "install_$step" >>"$JOB_DIR/log" 2>&1; then
      set_state failed "$step" "$step:1"
      return 1
    fi
  done
  set_state 'done' installed 0
}

install_prepare() {
  local gtid
  binlog_info_file && IFS=$'\t' read -r _ _ gtid <"$BINLOG_INFO"
  mariadb-backup --prepare --target-dir="$STAGING" 2>"$JOB_DIR/prepare.log"
  if ! tail -n 1 "$JOB_DIR/prepare.log" | grep 'completed OK!' >/dev/null; then
    tail -n 5 "$JOB_DIR/prepare.log"
    return 1
  fi
  # What identifies a server must not be copied with its data.
  rm -f "$STAGING/auto.cnf"
  printf '%s\n' "${gtid-}" >"$JOB_DIR/gtid"
}

install_aside() {
  mkdir -p "$ASIDE" && move_entries "${CONF[datadir]}" "$ASIDE" && sync -f "$ASIDE"
}

install_move() {
  move_entries "$STAGING" "${CONF[datadir]}"
}

# The directory's own owner is the server's account, whatever it is called.
install_own() {
  data_entries "${CONF[datadir]}"
  chown -R --reference="${CONF[datadir]}" -- "${ENTRIES[@]}" && sync -f "${CONF[datadir]}"
}

# --- the ends of a job ---

stop_for_good() {
  scan_processes
  ((${#MYSQLD[@]} > 0)) || supervisor_present || return 0
  service_order stop
  POLL=0.03 within 15000 database_and_supervisor_gone || within 5000 database_is_dead ||
    refuse Unverified "job-clean: mysqld on $HOSTNAME could not be stopped; its data directory was left as it is"
}

# What an operation relies on, or is about to, is never emptied: a failover may have begun since whoever cleans has looked, or be between its fence and its
# record, and about to read what only this host has. Relay logs are kept before a host is elected, and released when it is on record.
refuse_if_relied_on() {
  local as=''
  # With a primary on record at this epoch the operation has decided.
  ((${PRIMARY_EPOCH:-0} >= EPOCH)) || [[ ! -d $OURS/relay-$EPOCH ]] || as="an operation (epoch $EPOCH) counts on what it has received; standfast prepare CLUSTER PRIMARY ends that when it is over"
  [[ -z $MEMBER || ",$ACKERS," != *",$MEMBER,"* ]] || as="it is recorded as an acker; standfast acker remove CLUSTER $MEMBER first"
  [[ -z $MEMBER || $PRIMARY != "$MEMBER" ]] || as="it is recorded as the primary; after a failover, standfast rejoin CLUSTER $MEMBER tells it who is, and sets aside what only it has"
  [[ -z $as ]] || refuse Unsafe "$VERB: nothing was removed on $HOSTNAME: $as"
}

# The step says how far the installation came; only what the job put there is deleted.
undo_installation() {
  case $JOB_STEP in
    move | own | installed)
      load_standing
      refuse_if_relied_on
      [[ -d $ASIDE ]] || refuse Unsafe "job-clean: $ASIDE is missing on $HOSTNAME, so what the job replaced cannot be put back; nothing was deleted"
      stop_for_good
      data_entries "${CONF[datadir]}"
      ((${#ENTRIES[@]} == 0)) || rm -rf -- "${ENTRIES[@]}" || refuse Unverified "job-clean: the copy in ${CONF[datadir]} on $HOSTNAME could not be removed"
      set_state failed restore ;;
    aside | restore) ;;
    *) return 0 ;;
  esac
  [[ ! -d $ASIDE ]] || move_entries "$ASIDE" "${CONF[datadir]}" || refuse Unverified "job-clean: $ASIDE on $HOSTNAME could not be put back"
}

forget_job() {
  rm -rf "$STAGING" "$ASIDE" && { [[ ! -d $OURS ]] || rmdir --ignore-fail-on-non-empty "$OURS"; } ||
    refuse Unverified "the folders of the job $JOB could not be removed on $HOSTNAME"
  [[ ! -e ${KEYS_FILE-} ]] || write_job_key_line
  rm -rf "$JOB_DIR" || refuse Unverified "$JOB_DIR could not be removed on $HOSTNAME"
}

# No attempt may act from here on. The key goes first, so that no new stream can begin while the rest goes.
verb_job_clean() {
  set_job "${ARG[job]}"
  end_attempts "$JOB"
  if getent passwd "${CONF[account]}" >/dev/null; then write_job_key_line; fi
  end_group "$JOB_DIR/group" || refuse Unverified "job-clean: the processes of the job $JOB could not be ended on $HOSTNAME"
  read_state
  undo_installation
  forget_job
  say state absent
}

verb_job_keep() {
  set_job "${ARG[job]}"
  read_state
  case "$JOB_STATE $JOB_STEP" in
    'done installed' | 'absent ' | 'done send') ;;
    *) refuse Unsafe "job-keep: the job $JOB on $HOSTNAME is not finished (it is ${JOB_STEP:-not begun}, $JOB_STATE); nothing was changed" ;;
  esac
  end_attempts "$JOB"
  if getent passwd "${CONF[account]}" >/dev/null; then write_job_key_line; fi
  forget_job
  say state absent
}
