# --- where the logs are; relay logs kept before anything may delete them ---

# What server_option will be asked for, read while the order does something else. Without the lock: a disk may not answer.
foresee_defaults() {
  exec {FORESEEN}< <(close_lock; exec my_print_defaults --mysqld)
}

# server_option NAME: the last value that the configuration gives it, in OPTION. Every verb that asks has a process of its own: it reads the files once.
server_option() {
  local line name
  OPTION=''
  if [[ -v FORESEEN && ! -v DEFAULTS ]]; then
    mapfile -t DEFAULTS <&"$FORESEEN"
  elif [[ ! -v DEFAULTS ]]; then
    mapfile -t DEFAULTS < <(my_print_defaults --mysqld)
  fi
  for line in "${DEFAULTS[@]}"; do
    name=${line%%=*}
    [[ ${name//-/_} == "__$1" && $line == *=* ]] || continue
    OPTION=${line#*=}
  done
}

# log_indexes relay_log|log_bin: sets INDEXES. The configured base name, or the default names in the data directory.
log_indexes() {
  local base name file
  INDEXES=()
  server_option "$1_index"
  if [[ -n $OPTION ]]; then
    base=${OPTION%.index}
  else
    server_option "$1"
    base=$OPTION name=${OPTION##*/}
    # The server drops an extension that somebody gave to the base name.
    [[ $name != *.* ]] || base=${OPTION%.*}
  fi
  [[ $base == /* ]] || base=${CONF[datadir]}/$base
  for file in "$base"*.index; do
    [[ -e $file ]] || continue
    name=${file#"$base"}
    case $1 in
      relay_log) [[ $name == .index || $name == -*.index || ($base == */ && $name == *relay*) ]] && INDEXES+=("$file") ;;
      log_bin) [[ $name == .index || ($base == */ && $name != *relay*) ]] && INDEXES+=("$file") ;;
    esac
  done
}

# Lines of an index are relative to the data directory unless absolute. Sets LOGS, and GONE to a log that is named and not there, though nothing but a loss
# explains that: a purge takes from the front, and never the last.
logs_of_index() {
  local line last=''
  LOGS=() GONE=''
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    [[ $line == /* ]] || line=${CONF[datadir]}/${line#./}
    last=$line
    if [[ -e $line ]]; then
      LOGS+=("$line")
    elif ((${#LOGS[@]} > 0)); then
      GONE=${GONE:-$line}
    fi
  done <"$1"
  ((${#LOGS[@]} > 0)) || GONE=$last
  # A purge that went on meanwhile took the one before it as well.
  [[ -z $GONE || ${#LOGS[@]} == 0 || -e ${LOGS[0]} ]] || logs_of_index "$1"
}

# Whether an event of another server is in these relay logs; 2: that is not known, since one of them is encrypted. A start with both threads stopped throws
# the logs away and begins with an event of this server's own; only a receiver that reached its source adds others.
has_source_event() {
  local log at status encrypted=1
  local -a undecided=()
  # The newest says it nearly always.
  for ((at = $#; at > 0; at--)); do
    status=0
    begins_with_source "${!at}" || status=$?
    ((status != 0)) || return 0
    ((status != 2)) || undecided+=("${!at}")
    ((status != 3)) || encrypted=2
  done
  for log in "${undecided[@]}"; do
    mariadb-binlog --no-defaults --base64-output=decode-rows "$log" 2>/dev/null | awk '
      /^#[0-9]+ +[0-9:]+ server id [0-9]+ / { if (own == "") own = $5; else if ($5 != own) { found = 1; exit } }
      END { exit !found }'
    [[ ${PIPESTATUS[1]} != 0 ]] || return 0
  done
  return "$encrypted"
}

# begins_with_source LOG: 0 when one of its first events is another server's, 1 when it has none, 2 when its first events do not say, 3 when what follows them
# is encrypted. Read from the headers
# (time 4, type 1, server 4, length 4, place 4, flags 2), which is many times faster than to have the log printed. The first of them lie close together: they
# are read at once.
begins_with_source() {
  local own='' from=-1 at=4 server length events i
  local -a byte=()
  for ((events = 0; events < 8; events++)); do
    if ((from < 0 || at - from + 19 > ${#byte[@]})); then
      from=$at
      read -ra byte < <(od -An -v -w1024 -tu1 -j "$at" -N 1024 "$1" 2>/dev/null) || true
    fi
    i=$((at - from))
    ((i < ${#byte[@]})) || return 1
    ((i + 19 <= ${#byte[@]})) || return 2
    ((byte[i + 4] != START_ENCRYPTION)) || return 3
    server=$((byte[i + 5] | byte[i + 6] << 8 | byte[i + 7] << 16 | byte[i + 8] << 24)) length=$((byte[i + 9] | byte[i + 10] << 8 | byte[i + 11] << 16 | byte[i + 12] << 24))
    ((length >= 19)) || return 2
    [[ -n $own ]] || own=$server
    ((server == own)) || return 0
    at=$((at + length))
  done
  return 2
}

# A crash of the server leaves what it had written in the kernel; a crash of the host leaves what was on the disk, and a log that lost its
# end looks whole. Safe: written since the host was started, closed in order (it ends with Stop, or went on in the next file), or synced at every event.
relay_logs_have_their_end() {
  local at log
  server_option sync_relay_log
  [[ $OPTION != 1 ]] || return 0
  for ((at = ${#LOGS[@]} - 1; at >= 0; at--)); do
    log=${LOGS[at]}
    has_source_event "$log" || continue
    is_of_this_boot "$log" || is_closed "$log"
    return
  done
  return 1
}

# binlogs_have_their_end LOG…: the same of binlogs. The one in use when the host stopped is the newest that was not written since: a server that was started
# afterwards has begun another one. What its configuration says is all that is left of a dead server; a value that was set while it ran is not known.
binlogs_have_their_end() {
  local at
  server_option sync_binlog
  [[ $OPTION != 1 ]] || return 0
  for ((at = $#; at > 0; at--)); do
    is_of_this_boot "${!at}" && continue
    is_closed "${!at}"
    return
  done
}

# is_of_this_boot LOG: whether it was certainly written since the host was started.
is_of_this_boot() {
  local written boot
  read_boot_time
  boot=$BOOT_TIME
  process_start 1 && boot=$((boot + START / 100))
  # Both numbers that make up the time of the boot are cut to whole seconds. A time to come is of a clock that has been set back: it says nothing.
  written=$(stat -c %Y "$1")
  ((written > boot + 2 && written <= EPOCHSECONDS + 2))
}

# is_closed LOG: whether its last event is the one with which a server ends it.
is_closed() {
  mariadb-binlog --no-defaults --base64-output=decode-rows "$1" 2>/dev/null | awk '
    /^#[0-9]+ +[0-9:]+ server id [0-9]+ / { if (own == "") own = $5; closed = $5 == own && /\t(Stop|Rotate to )/ }
    END { exit !closed }'
  return "${PIPESTATUS[1]}"
}

# A receiver that acknowledges ends by connecting to its source once more, and waits at least a second for a host that says nothing. For a while this kernel
# answers instead, to connections that are new; the one that stands goes on. Measured on 10.11: 1.0 s to stop without it.
refuse_gone_source() {
  replace_table standfast_source "$RUN/source-rule" "
  set gone { type ipv4_addr . inet_service; flags timeout; elements = { ${ARG[address]} . ${ARG[target_port]} timeout 10s } }
  chain output { type filter hook output priority -10; policy accept; tcp flags & (syn | ack) == syn ip daddr . tcp dport @gone reject with tcp reset; }"
}

accept_gone_source() {
  [[ ! -e $RUN/source-rule ]] || remove_table standfast_source "$RUN/source-rule" || true
}

# link_logs: links LINKS (folder -> logs, a line each). Beside the logs, since a link cannot leave their file system; what is kept outside the data directory is
# noted in what is kept inside, for whoever looks for it or releases it.
link_logs() {
  local folder
  local -a these
  for folder in "${!LINKS[@]}"; do
    mapfile -t these <<<"${LINKS[$folder]%$'\n'}"
    if [[ $folder != "$KEPT" && ! -d $folder ]]; then
      printf '%s\n' "$folder" >>"$KEPT/elsewhere" && sync "$KEPT/elsewhere" && mkdir -p "$folder" ||
        refuse Unverified "keep-relay: cannot make $folder on $HOSTNAME; nothing was kept"
    fi
    ln -f "${these[@]}" "$folder/" || refuse Unverified "keep-relay: the relay logs on $HOSTNAME could not be linked into $folder"
  done
}

# The logs are linked (they only grow or go); the index and .info files are rewritten in place, so they are copied.
verb_keep_relay() {
  local KEPT=$OURS/relay-$EPOCH index log files=0 info folder
  local -a infos=()
  local -A LINKS=()
  foresee_defaults
  if [[ -v ARG[address] ]]; then
    [[ -v ARG[target_port] ]] || refuse BadInput 'keep-relay: address comes with target_port'
    # Without the rule its receiver stops a second later, which harms nothing.
    refuse_gone_source || true
  fi
  [[ -d ${CONF[datadir]} ]] || refuse Unverified "keep-relay: $HOSTNAME has no data directory ${CONF[datadir]}"
  [[ -d $KEPT ]] || mkdir -p "$KEPT" || refuse Unverified "keep-relay: cannot make $KEPT on $HOSTNAME; nothing was kept"
  judge_relay_logs
  for index in "${INDEXES[@]}"; do
    infos+=("$index")
    logs_of_index "$index"
    files=$((files + ${#LOGS[@]}))
    for log in "${LOGS[@]}"; do
      folder=${log%/*}/.standfast/relay-$EPOCH
      [[ $folder/${log##*/} -ef $log ]] || LINKS[$folder]+=$log$'\n'
    done
  done
  link_logs
  # master.info says nothing of a relay log, and holds the replication password.
  for info in "${CONF[datadir]}"/*.info; do
    [[ ! -e $info || ${info##*/} == master*.info ]] || infos+=("$info")
  done
  lacks_infos "$KEPT" "${infos[@]}" || ((${#LINKS[@]} > 0)) || infos=()
  ((${#infos[@]} == 0)) || cp -p "${infos[@]}" "$KEPT/" || refuse Unverified "keep-relay: the index and info files on $HOSTNAME could not be copied"
  ((${#LINKS[@]} + ${#infos[@]} == 0)) || sync "$KEPT" "${!LINKS[@]}"
  say path "$KEPT"
  say files "$files"
  say_source
  free_bytes
  say disk_free "$FREE_BYTES"
}

# lacks_infos FOLDER FILE…: an earlier order of this epoch may have kept all of them.
lacks_infos() {
  local info
  for info in "${@:2}"; do
    [[ -e $1/${info##*/} ]] || return 0
  done
  return 1
}

verb_relay_source() {
  judge_relay_logs
  say_source
  free_bytes
  say disk_free "$FREE_BYTES"
}
