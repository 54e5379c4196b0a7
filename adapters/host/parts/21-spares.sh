# --- spares: what a full disk must not keep from being recorded is written over a file that was filled when there was room ---
# Taken by a rename, so whoever fills the disk cannot get the room in between; a record in its place needs no byte and no inode more.

readonly SPARE=$STATE/spare
readonly SPARES=({00..15})
# The longest record is a lineage.
readonly SPARE_BYTES=16384

# write_fresh FILE TEXT: the part of "store" that needs room.
write_fresh() {
  { printf '%s\n' "$2" >"$1"; } 2>/dev/null || write_over_spare "$1" "$2"
}

write_over_spare() {
  local spare
  ((${#2} < SPARE_BYTES)) || return 1
  for spare in "$SPARE"/*; do
    if mv -fT "$spare" "$1" 2>/dev/null; then
      { printf '%s\n' "$2" 1<>"$1"; } 2>/dev/null && truncate -s "$((${#2} + 1))" "$1"
      return
    fi
    # Another order has taken it; or the file is to be on another file system, where this does not help.
    [[ ! -e $spare ]] || return 1
  done
  return 1
}

# Of random bytes: a file system that packs what it stores would keep no room for zeros. Only in orders that nobody waits for: it costs some 10 ms.
keep_spares() {
  local at free folder=$SPARE.new missing=no
  for at in "${SPARES[@]}"; do
    [[ -s $SPARE/$at ]] || missing=yes
  done
  [[ $missing == yes ]] || return 0
  free=$(df --output=avail -B1 "$STATE") && ((${free//[!0-9]/} >= ${#SPARES[@]} * SPARE_BYTES * 16)) || return 0
  rm -rf "$folder" && mkdir "$folder" && head -c "$((${#SPARES[@]} * SPARE_BYTES))" /dev/urandom | (cd "$folder" && split -b "$SPARE_BYTES" -a 2 -d - '') &&
    sync "$folder"/* && mkdir -p "$SPARE" && mv -ft "$SPARE" "$folder"/* && rmdir "$folder" && sync "$SPARE"
  return 0
} 2>>"$ERRORS"

# refuse_unwritten WHAT FOLDER: why it could not be written.
refuse_unwritten() {
  local left bytes inodes why='look at the disk'
  left=$(df --output=avail,iavail -B1 "$2" 2>/dev/null)
  read -r bytes inodes <<<"${left##*$'\n'}"
  if [[ $bytes =~ ^[0-9]+$ ]] && ((bytes < 65536)) || [[ $inodes == 0 ]]; then
    why="the file system of $2 is full ($bytes bytes and $inodes inodes free), and nothing kept for that is left; make room on it (old logs: journalctl --vacuum-size=100M) and ask again"
  fi
  refuse Unverified "cannot write $1 on $HOSTNAME; nothing after it was done; $why"
}
