# --- tails: listed, exported into a folder for people, handed on in pieces, and staged as a relay log for the server to apply ---

readonly TAILS=$STATE/quarantine
# The name of the replication channel that applies a tail; the server puts it behind the base name of its relay logs.
readonly TAIL_CHANNEL=standfast
readonly LISTED=1000
readonly PIECE_BYTES=196608
# Room for a copy, and for the statements of a binlog with their rows spelled out.
declare -rA TIMES=([binlog]=6 [relay]=2)

# What a plan says, a line each: how many transactions are beyond, the first of them, the last one of each domain and server, the same of all that is held, damage.
# shellcheck disable=SC2016 # $0 is awk's
readonly SUMMARY=$GTID_SETS'
  function add_damage(why) { damage = damage (damage == "" ? "" : "; ") why }
  function is_after(a, b,  p, q) { split(a, p, "-"); split(b, q, "-"); return p[1] + 0 > q[1] + 0 || (p[1] == q[1] && p[2] + 0 > q[2] + 0) }
  function in_order(set,  k, n, i, keys, text) {
    for (k in set) { for (i = n++; i > 0 && is_after(keys[i], k); i--) keys[i + 1] = keys[i]; keys[i + 1] = k }
    for (i = 1; i <= n; i++) text = text (i > 1 ? "," : "") keys[i] "-" set[keys[i]]
    return text
  }
  $1 == "gtid" { raise(last, $2); if (count++ < most) list = list (list == "" ? "" : ",") $2 }
  $1 == "held" { raise(held, $2) }
  $1 == "damage" { add_damage($2 " can be read up to byte " $3 ": " substr($0, length($1 $2 $3) + 4)) }
  $1 == "encrypted" { add_damage($2 encrypted) }
  END { print count + 0; print list; print in_order(last); print in_order(held); print damage }'

# sum_up PLAN: sets COUNT, GTIDS, UP_TO, HELD and DAMAGE.
sum_up() {
  local -a said
  mapfile -t said < <(awk -v most="$LISTED" -v encrypted="$ENCRYPTED" "$SUMMARY" "$1")
  ((${#said[@]} == 5)) || refuse Unverified "the logs of $HOSTNAME could not be summed up (awk failed on $1)"
  COUNT=${said[0]} GTIDS=${said[1]} UP_TO=${said[2]} HELD=${said[3]} DAMAGE=${said[4]}
}

# say_tail PLAN: what is beyond, how far the logs could be read, and what they hold in all.
say_tail() {
  sum_up "$1"
  WHY=$PURGED${PURGED:+${DAMAGE:+; }}$DAMAGE
  say count "$COUNT"
  say gtids "$GTIDS"
  say up_to "$UP_TO"
  say held "$HELD"
  say_complete
}

say_complete() {
  if [[ -z $WHY ]]; then say complete yes; else say complete no; fi
  say why "$WHY"
}

# A folder of this process, which is gone afterwards: the process ends at a refusal, so a trap removes it.
make_plan() {
  WORK=$(mktemp -d "$RUN/tail.XXXXXX") || refuse Unverified "no folder could be made in $RUN on $HOSTNAME"
  trap 'rm -rf "$WORK"' EXIT
  PLAN=$WORK/plan
}

# The end of the last binlog alone: its list says what the ones before it hold.
verb_binlog_end() {
  make_plan
  ARG[beyond]=''
  logs_for_tail binlog
  scan_tail binlog "$PLAN" "${LOGS[-1]}"
  sum_up "$PLAN"
  [[ -z $DAMAGE ]] || refuse Unverified "the binlog of $HOSTNAME cannot be read to its end: $DAMAGE"
  # Of a log whose end may be missing no transaction is the last.
  say gtid "$([[ -n $LOST ]] || sed -n 's/^last //p' "$PLAN" | sort -V | paste -sd,)"
  say why "$LOST"
  say state "$HELD"
  say file "${LOGS[-1]}"
}

verb_tail_list() {
  make_plan
  logs_for_tail "${ARG[logs]}"
  scan_tail "${ARG[logs]}" "$PLAN" "${LOGS[@]}"
  say_tail "$PLAN"
  [[ ${ARG[logs]} == binlog ]] || say source "$SOURCE"
}

# The magic number of a log, then the pieces as they are.
join_pieces() {
  local kind file from to
  printf '\xfebin'
  while read -r kind file from to; do
    [[ $kind != piece ]] || dd if="$file" bs=1M iflag=skip_bytes,count_bytes skip="$from" count=$((to - from)) status=none || return 1
  done <"$1"
}

bytes_of_pieces() {
  awk '$1 == "piece" { n += $4 - $3 } END { print n + 4 }' "$1"
}

# need_space FOLDER BYTES
need_space() {
  local free
  free=$(df --output=avail -B1 "$1") && free=${free//[!0-9]/}
  ((free >= $2)) || refuse Unverified "$1 on $HOSTNAME has $free bytes free, and $VERB needs $2; nothing was changed; make room and ask again"
}

# The joined log must hold exactly what was planned: a place that was computed wrongly would not be a readable log.
check_joined() {
  scan_tail binlog "$WORK/joined" "$1"
  cmp -s <(grep '^gtid ' "$2") <(grep '^gtid ' "$WORK/joined") && ! grep -Eq '^(damage|encrypted)' "$WORK/joined" ||
    refuse Unverified "the transactions copied from the logs of $HOSTNAME do not read back as they were ($(grep -m 1 '^damage' "$WORK/joined")); the copy was not used"
}

say_nothing_beyond() {
  say count 0
  say gtids ''
  say up_to ''
  say held ''
  WHY=$PURGED
  say_complete
  say tail ''
}

# In a folder of its own under the quarantine, whole or not at all. The same tail under an older epoch gives way.
verb_tail_export() {
  local folder=$TAILS/$EPOCH-${ARG[logs]} fresh bytes sum
  make_plan
  logs_for_tail "${ARG[logs]}"
  say from "$BEGAN"
  ((${#LOGS[@]} > 0)) || { say_nothing_beyond; return 0; }
  scan_tail "${ARG[logs]}" "$PLAN" "${LOGS[@]}"
  say_tail "$PLAN"
  ((COUNT > 0)) || { say tail ''; return 0; }
  fresh=$folder.new bytes=$(bytes_of_pieces "$PLAN")
  mkdir -p "$TAILS" && need_space "$TAILS" $((bytes * ${TIMES[${ARG[logs]}]})) && rm -rf "$fresh" && mkdir "$fresh" && join_pieces "$PLAN" >"$fresh/tail.binlog" ||
    refuse Unverified "tail-export: $fresh on $HOSTNAME could not be written"
  check_joined "$fresh/tail.binlog" "$PLAN"
  sum=$(sha256sum "$fresh/tail.binlog") && sum=${sum%% *}
  describe_tail "$fresh" "$bytes" "$sum"
  sync "$fresh"/* "$fresh" && rm -rf "$folder" && mv -T "$fresh" "$folder" && sync "$TAILS" ||
    refuse Unverified "tail-export: $folder on $HOSTNAME could not be written"
  forget_copies "$folder" "$sum"
  say tail "${folder##*/}"
  say bytes "$bytes"
  say sha256 "$sum"
}

# For people: the statements with their GTIDs, rows spelled out as comments; and what the folder is. What a replica received is on its way
# to be applied, and needs no reader.
describe_tail() {
  [[ ${ARG[logs]} == relay ]] || mariadb-binlog --no-defaults --verbose "$1/tail.binlog" >"$1/tail.sql" 2>"$WORK/complaint" ||
    refuse Unverified "tail-export: the statements could not be written to $1/tail.sql on $HOSTNAME: $(tail -n 1 "$WORK/complaint")"
  sed -n 's/^gtid //p' "$PLAN" >"$1/gtids"
  printf '%s\n' "host=$HOSTNAME" "epoch=$EPOCH" "run=$EPOCH_RUN" "logs=${ARG[logs]}" "beyond=${ARG[beyond]}" "count=$COUNT" "bytes=$2" "sha256=$3" "unread=$WHY" >"$1/summary"
}

forget_copies() {
  local folder
  for folder in "$TAILS"/*-"${ARG[logs]}"; do
    [[ $folder == "$1" || ! -e $folder/summary ]] || ! grep -qx "sha256=$2" "$folder/summary" || rm -rf "$folder"
  done
}

find_tail() {
  TAIL=$TAILS/${ARG[tail]}/tail.binlog
  [[ -f $TAIL ]] || refuse Unverified "$HOSTNAME has no tail ${ARG[tail]} in $TAILS; export it again"
  SIZE=$(stat -c %s "$TAIL")
}

verb_tail_read() {
  find_tail
  ((ARG[offset] <= SIZE)) || refuse BadInput "tail-read: the tail ${ARG[tail]} on $HOSTNAME has $SIZE bytes, none at ${ARG[offset]}"
  say bytes "$SIZE"
  say piece "$(dd if="$TAIL" bs=1M iflag=skip_bytes,count_bytes skip="${ARG[offset]}" count="$PIECE_BYTES" status=none | base64 -w 0)"
}

# A piece that is sent twice lands in the same place: what was behind it goes.
verb_tail_write() {
  local folder=$TAILS/${ARG[tail]} size=0
  mkdir -p "$folder" || refuse Unverified "tail-write: $folder on $HOSTNAME could not be made"
  [[ ! -e $folder/tail.binlog ]] || size=$(stat -c %s "$folder/tail.binlog")
  ((ARG[offset] <= size)) || refuse BadInput "tail-write: the tail ${ARG[tail]} on $HOSTNAME has $size bytes so far; a piece at ${ARG[offset]} would leave a hole"
  need_space "$folder" $((PIECE_BYTES * 2))
  : >>"$folder/tail.binlog" && truncate -s "${ARG[offset]}" "$folder/tail.binlog" && base64 -d <<<"${ARG[piece]}" >>"$folder/tail.binlog" && sync "$folder/tail.binlog" ||
    refuse Unverified "tail-write: the piece at ${ARG[offset]} could not be written to $folder on $HOSTNAME"
  say bytes "$(stat -c %s "$folder/tail.binlog")"
}

# A copy of the whole tail has been read a moment ago.
is_whole_tail() {
  cmp -s "$1" "$TAIL"
}

# Lays what the server still lacks of a tail beside its relay logs, as the log of a channel of its own: the server then applies it as it
# applies what it replicates, each transaction whole and with its GTID. Nothing lacking: the tail is done with, and this copy goes.
verb_tail_stage() {
  local sum base line log index
  find_tail
  sum=$(sha256sum "$TAIL")
  [[ ${sum%% *} == "${ARG[sha256]}" ]] || refuse Unverified "tail-stage: the tail ${ARG[tail]} on $HOSTNAME is not the one that was sent (sha256 ${sum%% *}, $SIZE bytes); nothing was staged; send it again"
  make_plan
  PURGED=''
  scan_tail binlog "$PLAN" "$TAIL"
  say_tail "$PLAN"
  [[ -z $WHY ]] || refuse Unverified "tail-stage: the tail ${ARG[tail]} on $HOSTNAME is damaged, ${WHY}; nothing was staged"
  relay_index
  index=${RELAY_INDEX%.index}-$TAIL_CHANNEL.index
  # The first line of the default channel's index shows how this server writes the names of its relay logs.
  line=$(head -n 1 "$RELAY_INDEX")
  line=${line%.*}-$TAIL_CHANNEL.000001
  log=${line#./}
  [[ $log == /* ]] || log=${CONF[datadir]}/$log
  rm -f "${log%.*}".[0-9]* "$index" || refuse Unverified "tail-stage: what an earlier attempt left beside $log on $HOSTNAME could not be removed"
  ((COUNT > 0)) || { rm -rf "${TAILS:?}/${ARG[tail]}"; say log ''; return 0; }
  need_space "${log%/*}" "$(($(bytes_of_pieces "$PLAN") * 3))"
  join_pieces "$PLAN" >"$log" && { is_whole_tail "$log" || check_joined "$log" "$PLAN"; } && printf '%s\n' "$line" >"$index" &&
    chown --reference="${CONF[datadir]}" "$log" "$index" && chmod 0660 "$log" "$index" && sync "$log" "$index" ||
    refuse Unverified "tail-stage: $log on $HOSTNAME could not be written"
  say log "${line#./}"
}
