# --- whether this member's records may be old: it was off, and may have been replaced as primary meanwhile ---
# standing is "BOOT MEMBER": the boot in which an operation last confirmed the records, and the name of this member in the inventory.

# Another one after every boot. The start of process 1 tells hosts apart that share a kernel.
read_boot() {
  IFS= read -r BOOT </proc/sys/kernel/random/boot_id
  process_start 1 || true
  BOOT+=-${START:-0}
}

# Sets STANDING. Only a recorded primary is ever switched off and counted without being asked; every other member counts whenever it boots.
# Records of earlier versions do not say whether this host was one.
load_standing() {
  local status=0
  read_boot
  read_record standing '^([^ ]+) ([^ ]+)$' || status=$?
  ((status != 2)) || { refuse Unsafe "the record $STATE/standing on $HOSTNAME is damaged; remove it, and start an operation with all members present"; return 1; }
  CONFIRMED_BOOT='' MEMBER=''
  ((status == 1)) || CONFIRMED_BOOT=${BASH_REMATCH[1]} MEMBER=${BASH_REMATCH[2]}
  if [[ $CONFIRMED_BOOT == "$BOOT" ]]; then
    STANDING=sure
  elif [[ -z $MEMBER && -z $PRIMARY ]]; then
    STANDING=blank
  elif [[ -z $MEMBER || $LED == led ]]; then
    STANDING=booted
  else
    STANDING=sure
  fi
}

# An operation that knows the newest records writes them here, also over older ones, and this host counts again. Never an older record over a newer.
verb_confirm() {
  local led=- recorded=''
  local -a FRESH=()
  load_standing
  [[ $BOOT == "${ARG[boot]}" ]] || refuse Stale "$HOSTNAME has booted again since it was asked; its records were not confirmed; observe again"
  if [[ -v ARG[primary] ]] && ((ARG[primary_epoch] >= ${PRIMARY_EPOCH:-0})); then
    [[ ${ARG[primary]} != "${ARG[name]}" ]] || led=led
    recorded=${ARG[primary]}
    set_primary "${ARG[primary_epoch]} ${ARG[primary_run]} ${ARG[primary]} $led ${ARG[lineage]:--}"
  fi
  if [[ -v ARG[mode] ]] && ((ARG[sync_epoch] >= ${SYNC_EPOCH:-0})); then
    set_sync "${ARG[sync_epoch]} ${ARG[mode]} ${ARG[ackers]:--} ${ARG[k]}"
  fi
  store_fresh
  [[ -z $recorded ]] || end_files "$recorded"
  [[ "$CONFIRMED_BOOT $MEMBER" == "$BOOT ${ARG[name]}" ]] || store_records standing "$BOOT ${ARG[name]}"
  say standing sure
}

# A person knows what no member can: that nobody was made primary elsewhere while this host was off.
verb_vouch() {
  refuse_account vouch
  load_standing
  [[ -n $MEMBER && -n $PRIMARY ]] || refuse Unsafe "no operation has ever confirmed records on $HOSTNAME, so there is nothing to vouch for; nothing was changed"
  store_records standing "$BOOT $MEMBER"
  say primary "$PRIMARY"
  say primary_epoch "$PRIMARY_EPOCH"
}
