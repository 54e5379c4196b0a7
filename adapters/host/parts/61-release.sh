# --- relay logs that were kept are released ---

# release_elsewhere FOLDER: what its logs were kept in, outside the data directory.
release_elsewhere() {
  local place
  [[ -e $1/elsewhere ]] || return 0
  while IFS= read -r place; do
    [[ $place == /*/.standfast/"${1##*/}" ]] || continue
    rm -rf "$place" && { rmdir --ignore-fail-on-non-empty "${place%/*}" 2>/dev/null || true; } ||
      refuse Unverified "release-relay: $place on $HOSTNAME could not be removed"
  done <"$1/elsewhere"
}

# release_beside: the same without a note of it, which goes with the data directory when that is emptied. Where the relay logs are configured to be, also when
# there are none any more, and where those are that there are.
release_beside() {
  local option index log folder kept
  local -A folders=()
  for option in relay_log relay_log_index; do
    server_option "$option"
    [[ $OPTION == /* ]] || OPTION=${CONF[datadir]}/$OPTION
    folders[${OPTION%/*}]=yes
  done
  log_indexes relay_log
  for index in "${INDEXES[@]}"; do
    logs_of_index "$index"
    for log in "${LOGS[@]}"; do
      folders[${log%/*}]=yes
    done
  done
  for folder in "${!folders[@]}"; do
    [[ ! $folder/.standfast -ef $OURS ]] || continue
    for kept in "$folder"/.standfast/relay-*; do
      release_kept "$kept"
    done
    rmdir --ignore-fail-on-non-empty "$folder/.standfast" 2>/dev/null
  done
}

# release_kept FOLDER: if it is of this epoch or an older one. What is named otherwise is not ours.
release_kept() {
  local number=${1##*/relay-}
  [[ -d $1 && $number =~ ^[0-9]+$ ]] && ((10#$number <= EPOCH)) || return 0
  release_elsewhere "$1"
  rm -rf "$1" || refuse Unverified "release-relay: $1 on $HOSTNAME could not be removed"
  released[10#$number]=yes
}

# Only by order, when the operation has proven that nothing in them is needed: an older operation may have died before that. So goes what was sent here to be
# applied: a tail of another host's binlog, which has no summary beside it.
verb_release_relay() {
  local folder name
  local -a released=()
  accept_gone_source
  for folder in "$TAILS"/*-binlog; do
    name=${folder##*/}
    [[ -d $folder && ! -e $folder/summary && ${name%-binlog} =~ ^[0-9]+$ ]] && ((${name%-binlog} <= EPOCH)) || continue
    rm -rf "$folder" || refuse Unverified "release-relay: $folder on $HOSTNAME could not be removed"
  done
  for folder in "$OURS"/relay-*; do
    release_kept "$folder"
  done
  release_beside
  keep_spares
  say released "${#released[@]}"
}
