# --- which relay logs are the ones of our channel, and whether they can be read at all ---

# The type of the event behind which everything in a log is encrypted. Source: MariaDB KB, Start_encryption_event.
readonly START_ENCRYPTION=164
# What is said behind the name of such a log.
readonly ENCRYPTED=' is encrypted (encrypt_binlog), so only its own server can read it; take encrypt_binlog out of the configuration of that server and restart it while all is well: it goes on in a log that can be read'

# is_encrypted LOG: whether the event behind the description of its format says so; it comes there or nowhere. The header of an event is described at begins_with_source.
is_encrypted() {
  local -a byte=()
  local next
  read -ra byte < <(od -An -v -w1024 -tu1 -j 4 -N 1024 "$1" 2>/dev/null) || true
  ((${#byte[@]} >= 19)) || return 1
  next=$((byte[9] | byte[10] << 8 | byte[11] << 16 | byte[12] << 24))
  ((next >= 19 && next + 19 <= ${#byte[@]} && byte[next + 4] == START_ENCRYPTION))
}

# judge_source LOG…: sets SOURCE to whether an event of the source is in these relay logs, and SOURCE_WHY to why that is not known.
judge_source() {
  local status=0 log
  SOURCE=yes SOURCE_WHY=''
  has_source_event "$@" || status=$?
  ((status != 1)) || SOURCE=no
  ((status == 2)) || return 0
  SOURCE=unknown
  for log in "$@"; do
    ! is_encrypted "$log" || SOURCE_WHY=$log$ENCRYPTED
  done
}

# judge_relay_logs: the same of our channel's. Sets INDEXES to those of all channels. Of a server without relay logs nothing is known to be there.
judge_relay_logs() {
  SOURCE=no SOURCE_WHY=''
  find_relay_index
  [[ -n $RELAY_INDEX ]] || return 0
  logs_of_index "$RELAY_INDEX"
  judge_source "${LOGS[@]}"
}

say_source() {
  say source "$SOURCE"
  [[ -z $SOURCE_WHY ]] || say why "$SOURCE_WHY"
}

# The default channel's, which is ours. Other channels of this server have names of their own behind the base, and what they receive says nothing of ours.
find_relay_index() {
  local index
  RELAY_INDEX=''
  log_indexes relay_log
  for index in "${INDEXES[@]}"; do
    [[ -n $RELAY_INDEX && ${#index} -ge ${#RELAY_INDEX} ]] || RELAY_INDEX=$index
  done
}

relay_index() {
  find_relay_index
  [[ -n $RELAY_INDEX ]] || refuse Unverified "$HOSTNAME has no index of relay logs in ${CONF[datadir]}; nothing was changed"
}
