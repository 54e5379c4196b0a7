# --- tails: the complete transactions in a server's logs that a given set of GTIDs lacks. Found by reading the files, never by asking a server ---

# Sequences are compared as text: they exceed what awk's numbers hold exactly.
readonly GTID_SETS='
  function past(a, b) { return length(a) == length(b) ? a "" > b "" : length(a) > length(b) }
  function raise(set, g,  p, k) { split(g, p, "-"); k = p[1] "-" p[2]; if (past(p[3], set[k])) set[k] = p[3] }
  function is_beyond(g,  p) { split(g, p, "-"); return past(p[3], beyond[p[1] "-" p[2]]) }
  BEGIN { n = split(given, g, ","); for (i = 1; i <= n; i++) raise(beyond, g[i]) }'

# Reads what mariadb-binlog prints of one log after the other. An event reaches from its "# at" to the next one, so that the bytes of a
# transaction can be copied as they are. Lines between the marks may be anybody's text: an event is believed when its header follows its "# at".
# Prints: piece FILE FROM TO (the format descriptions that the transactions need among them), gtid GTID; at the end held GTID (of each domain and
# server), last GTID (of each domain), damage FILE OFFSET WHY.
# shellcheck disable=SC2016 # $0 is awk's
readonly SCAN_TAIL=$GTID_SETS'
  function flush_piece() { if (to != "") print "piece", piece_file, piece_from, to; to = "" }
  function add_piece(f, a, b) {
    if (to != "" && f == piece_file && a == to) { to = b; return }
    flush_piece(); piece_file = f; piece_from = a; to = b
  }
  function hold(g) { raise(held, g); last[substr(g, 1, index(g, "-") - 1)] = g }
  function finish(end,  i) {
    hold(group)
    if (is_beyond(group)) {
      if (group_format != written) add_piece(format_file[group_format], format_from[group_format], format_to[group_format])
      for (i = 1; i <= parts; i++) add_piece(part_file[i], part_from[i], part_to[i])
      add_piece(file, from, end)
      written = format
      print "gtid", group
    }
    group = ""
  }
  function begin_event(n) {
    if (kind == "format") note_format(at, n)
    if (group != "" && (ends || (standalone && kind == "query"))) finish(n)
    at = n + 0; kind = ""; ends = 0; text = 0
  }
  # Its end was not recognised, so that what it did would be dropped in silence.
  function tell_endless() { print "damage", file, from, "no end of the transaction " group " was found" }
  function note_format(a, b) { format++; format_file[format] = file; format_from[format] = a; format_to[format] = b }
  function begin_group(g) { group = g; from = at; standalone = 1; interrupted = 0; parts = 0; group_format = format }
  # Sets SIZE and END_POS of the event at n, from its header.
  function read_header(n,  command, field) {
    command = "od -An -tu4 --endian=little -j " (n + 9) " -N8 \047" file "\047"
    command | getline field; close(command)
    split(field, header, " "); SIZE = header[1]; END_POS = header[2]
  }
  # The last write of a killed server may be half there: a header that fits to what is before it, of an event that is longer than the file.
  # Anything else behind the last event that could be read is damage, also when mariadb-binlog is content: in a log that was not closed it
  # takes the first damaged event for the end.
  function is_cut_off(n, size) {
    if (size - n < 19) return 1
    read_header(n)
    return n + SIZE > size && END_POS == before_pos + SIZE
  }
  $1 == mark && $2 == "file" {
    file = $3; at = 0; kind = ""; candidate = ""; list = 0
    # From a place in the middle mariadb-binlog prints nothing of what is before it, not even the format.
    if (NF > 3) { read_header(4); note_format(4, 4 + SIZE) }
    if (group != "") from = 4
    next
  }
  $1 == mark && $2 == "end" {
    if (candidate != "") begin_event(candidate)
    end = 4
    if (at > 0) { read_header(at); end = at + SIZE; before_pos = END_POS; begin_event(end) }
    if (end < $4 ? !is_cut_off(end, $4) : $3 != 0) { print "damage", file, end, substr($0, length($1 $2 $3 $4) + 5); exit }
    # A relay log may go on with a transaction in its next file, a binlog never does: there it is unfinished only where the file was cut off.
    if (group != "" && logs == "relay") { parts++; part_file[parts] = file; part_from[parts] = from; part_to[parts] = end }
    else if (group != "" && end == $4) { tell_endless(); exit }
    else group = ""
    next
  }
  /^# at [0-9]+$/ && $3 + 0 > at { if (candidate != "") begin_event(candidate); candidate = $3; next }
  candidate != "" {
    if (/^#[0-9]+ +[0-9:]+ server id [0-9]+ +end_log_pos [0-9]+ /) {
      begin_event(candidate); candidate = ""
      if (/\tStart: binlog v/) { kind = "format"; interrupted = 1 }
      else if (match($0, /\tGTID [0-9]+-[0-9]+-[0-9]+/)) {
        # A receiver that connects anew is sent the format first, and then again what it had received in part.
        if (group != "" && (logs == "binlog" || !interrupted)) { tell_endless(); exit }
        kind = "gtid"; begin_group(substr($0, RSTART + 6, RLENGTH - 6))
      }
      else if (/\tQuery(_compressed)?\t/) kind = "query"
      else if (/\t(Xid|XID) = /) { kind = "xid"; ends = 1 }
      else if (/\tGtid list \[/) { kind = "list"; list = logs == "binlog"; sub(/.*Gtid list \[/, "") }
      else kind = "other"
      if (kind != "list") { before = "/*!*/;"; next }
    } else candidate = ""
  }
  list {
    line = $0; if (sub(/\].*/, "", line)) list = 0
    gsub(/[# \t]/, "", line)
    n = split(line, g, ","); for (i = 1; i <= n; i++) if (g[i] ~ /^[0-9]+-[0-9]+-[0-9]+$/) hold(g[i])
    next
  }
  kind == "gtid" && (/^START TRANSACTION$/ || /^XA START /) { standalone = 0 }
  kind == "query" && text && /^\/\*!\*\/;$/ { ends = 1 }
  kind == "query" { text = before ~ /\/\*!\*\/;$/ && /^(COMMIT|ROLLBACK)$/; before = $0 }
  END { flush_piece(); for (k in held) print "held", k "-" held[k]; for (k in last) print "last", last[k] }'

FROM=''

# print_logs FILE…: each between marks, with the status of mariadb-binlog and the size of the file behind it. Of the first one only what is from FROM on.
print_logs() {
  local log status complaint=$RUN/tail-complaint.$BASHPID
  local -a start=(${FROM:+"--start-position=$FROM"})
  for log in "$@"; do
    printf '%s file %s %s\n' "$MARK" "$log" "${start[*]}"
    mariadb-binlog --no-defaults --base64-output=decode-rows --skip-annotate-row-events --verify-binlog-checksum "${start[@]}" "$log" 2>"$complaint"
    status=$?
    start=()
    printf '\n%s end %s %s %s\n' "$MARK" "$status" "$(stat -c %s "$log")" "$(grep -m 1 ERROR "$complaint")"
  done
  rm -f "$complaint"
}

# scan_tail binlog|relay PLAN FILE…: writes into PLAN what the files hold beyond ARG[beyond], up to the first one that is encrypted.
scan_tail() {
  local logs=$1 plan=$2 log
  local -a readable=()
  shift 2
  MARK=mark-$RANDOM$RANDOM$RANDOM
  for log in "$@"; do
    ! is_encrypted "$log" || break
    readable+=("$log")
  done
  print_logs "${readable[@]}" | awk -v logs="$logs" -v mark="$MARK" -v given="${ARG[beyond]-}" "$SCAN_TAIL" >"$plan"
  [[ ${PIPESTATUS[1]} == 0 ]] || refuse Unverified "the logs of $HOSTNAME could not be scanned (awk failed, or no space for $plan)"
  ((${#readable[@]} == $#)) || printf 'encrypted %s\n' "$log" >>"$plan"
  FROM=''
}

# A binlog begins with the list of what the ones before it hold. One whose list cannot be read starts nowhere.
# shellcheck disable=SC2016 # $0 is awk's
readonly STARTS_WITHIN=$GTID_SETS'
  /\tGtid list \[/ { list = 1; sub(/.*Gtid list \[/, "") }
  list {
    last = sub(/\].*/, ""); gsub(/[# \t]/, "")
    n = split($0, g, ","); for (i = 1; i <= n; i++) if (g[i] != "" && is_beyond(g[i])) exit
    if (last) { within = 1; exit }
  }
  END { exit !within }'

starts_within() {
  mariadb-binlog --no-defaults --base64-output=decode-rows "$1" 2>/dev/null | awk -v given="${ARG[beyond]}" "$STARTS_WITHIN"
  [[ ${PIPESTATUS[1]} == 0 ]]
}

# Sets LOGS.
binlogs() {
  mysqld_gone_soon || refuse Unsafe "mysqld runs on $HOSTNAME (process ${MYSQLD[0]}); its binlog is only read when it is dead; nothing was changed; stop it first"
  log_indexes log_bin
  ((${#INDEXES[@]} == 1)) || refuse Unverified "$HOSTNAME: found ${#INDEXES[@]} binlog indexes (${INDEXES[*]-}), and only one can be read; nothing was changed"
  logs_of_index "${INDEXES[0]}"
  ((${#LOGS[@]} > 0)) || refuse Unverified "$HOSTNAME: ${INDEXES[0]} names no binlog that is there; nothing was changed"
}

# A receiver that names the byte up to which it has read lacks nothing before it, when that is between two transactions. Sets LOGS and FROM, so that of a
# large log only the end is read, and READ_LOGS to the log that it was reading and those behind it; no when the place does not say so, and then all is read.
begin_where_it_was_read() {
  local at place size
  [[ -v ARG[read_to] ]] || return 1
  place=${ARG[read_to]##*:}
  for ((at = ${#LOGS[@]} - 1; at >= 0; at--)); do
    [[ ${LOGS[at]##*/} != "${ARG[read_to]%:*}" ]] || break
  done
  ((at >= 0)) || return 1
  size=$(stat -c %s "${LOGS[at]}")
  READ_LOGS=("${LOGS[@]:at}")
  if ((place < size)); then
    is_between_transactions "${LOGS[at]}" "$place" "$size" || return 1
    FROM=$place
  else
    ((place == size)) || return 1
    at=$((at + 1))
  fi
  LOGS=("${LOGS[@]:at}")
}

# is_between_transactions LOG PLACE SIZE: whether the event there is a whole one of a kind that is never inside a transaction: GTID, binlog checkpoint, rotate, stop.
is_between_transactions() {
  local length end
  local -a byte
  read -ra byte < <(od -An -v -w19 -tu1 -j "$2" -N 19 "$1" 2>/dev/null) || true
  ((${#byte[@]} == 19)) || return 1
  length=$((byte[9] | byte[10] << 8 | byte[11] << 16 | byte[12] << 24)) end=$((byte[13] | byte[14] << 8 | byte[15] << 16 | byte[16] << 24))
  ((byte[4] == 162 || byte[4] == 161 || byte[4] == 4 || byte[4] == 3)) && ((length >= 19 && end == $2 + length && end <= $3))
}

# note_loss WHY: of logs that have lost something, maybe the end. Into LOST and PURGED.
note_loss() {
  LOST+=${LOST:+; }$1
  PURGED+=${PURGED:+; }$1
}

# note_gone INDEX
note_gone() {
  [[ -z $GONE ]] || note_loss "$1 names $GONE, which is not there"
}

# note_unsynced LOG…
note_unsynced() {
  binlogs_have_their_end "$@" ||
    note_loss "$HOSTNAME was started anew since its binlog was written, which was not closed in order, and sync_binlog is not 1: what was not on the disk is missing without a trace"
}

# logs_for_tail binlog|relay: sets LOGS to the files that can hold something beyond ARG[beyond], PURGED to what is known to be missing,
# LOST to why the end of them may be, and SOURCE.
logs_for_tail() {
  local at
  local -a all READ_LOGS
  PURGED='' BEGAN='' LOST=''
  if [[ $1 == relay ]]; then
    relay_index
    logs_of_index "$RELAY_INDEX"
    judge_source "${LOGS[@]}"
    [[ $SOURCE != no ]] || PURGED="the relay logs were thrown away since the source was last reached (no event of it is in them), with whatever was not applied"
    [[ $SOURCE != yes ]] || relay_logs_have_their_end ||
      PURGED="$HOSTNAME was started anew since its relay logs were written, they were not closed in order, and sync_relay_log is not 1: what was not on the disk is missing without a trace"
    note_gone "$RELAY_INDEX"
    return 0
  fi
  binlogs
  all=("${LOGS[@]}")
  if [[ -z $GONE ]] && begin_where_it_was_read; then
    BEGAN=${ARG[read_to]}
    note_unsynced "${READ_LOGS[@]}"
    return 0
  fi
  for ((at = ${#LOGS[@]} - 1; at >= 0; at--)); do
    ! starts_within "${LOGS[at]}" || break
  done
  note_unsynced "${all[@]}"
  # The list of one that is encrypted cannot be read, and says nothing of a purge.
  ((at >= 0)) || is_encrypted "${LOGS[0]}" || PURGED+="${PURGED:+; }binlogs before ${LOGS[0]} were purged, and what they held is not known to be elsewhere"
  LOGS=("${LOGS[@]:at < 0 ? 0 : at}")
  note_gone "${INDEXES[0]}"
}
