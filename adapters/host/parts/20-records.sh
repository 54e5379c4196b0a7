# --- the records of this member: owner, epoch, primary, sync, fenced ---
# primary is "EPOCH RUN HOST LED LINEAGE"; LED is "led" when this host was recorded as primary since its records were confirmed, else "-".

# store FILE MODE TEXT: the old content or the new one, whatever happens to the machine in between.
store() {
  local file=$1 fresh="$1.standfast-new"
  write_fresh "$fresh" "$3" && chmod "$2" "$fresh" && sync "$fresh" && mv -T "$fresh" "$file" && sync "${file%/*}" ||
    refuse_unwritten "$file" "${file%/*}"
}

# replace FILE MODE TEXT: the same for what may be gone after a power cut: to sync it would wait for everything else that was written meanwhile.
replace() {
  local fresh="$1.standfast-new"
  printf '%s\n' "$3" >"$fresh" && chmod "$2" "$fresh" && mv -T "$fresh" "$1" || refuse Unverified "cannot write $1 on $HOSTNAME; look at the disk"
}

# store_records NAME TEXT [NAME TEXT…]: each as "store" does, one after the other, with as few processes as one alone. Their mode is 0600 by the umask.
store_records() {
  local names='' failed
  local -a fresh=()
  while (($# > 0)); do
    names+=" $1" fresh+=("$STATE/new/$1")
    write_fresh "${fresh[-1]}" "$2" || failed=yes
    shift 2
  done
  [[ ! -v failed ]] && sync "${fresh[@]}" && mv -ft "$STATE" "${fresh[@]}" && sync "$STATE" ||
    refuse_unwritten "the records$names in $STATE" "$STATE"
}

# read_record NAME PATTERN: 0 and BASH_REMATCH; 1 when nothing is recorded; 2 when what is there cannot be read.
read_record() {
  local line
  [[ -e $STATE/$1 ]] || return 1
  { IFS= read -r line <"$STATE/$1"; } 2>/dev/null || return 2
  [[ $line =~ $2 ]] || return 2
}

# A damaged record must never look like no record: an epoch of 0 would let an old operation in.
load_records() {
  local status name
  OWNER='' EPOCH=0 EPOCH_RUN='' PRIMARY='' PRIMARY_EPOCH='' PRIMARY_RUN='' LED=- LINEAGE='' MODE='' ACKERS='' K='' SYNC_EPOCH='' FENCED=no
  for name in owner epoch primary sync; do
    status=0
    case $name in
      owner) read_record owner '^([^ ]+)$' ;;
      epoch) read_record epoch '^([1-9][0-9]*) ([^ ]+)$' ;;
      primary) read_record primary '^([1-9][0-9]*) ([^ ]+) ([^ ]+)( (led|-) ([^ ]+))?$' ;;
      sync) read_record sync '^([1-9][0-9]*) (lossless|async) ([^ ]+) ([0-9]+)$' ;;
    esac || status=$?
    if ((status == 2)); then
      refuse Unsafe "the record $STATE/$name on $HOSTNAME is damaged; this member takes no part until a person mends it as root: $(how_to_mend "$name") (docs/failures.md, A damaged record)"
      return 1
    fi
    ((status == 1)) || keep_record "$name"
  done
  [[ ! -e $STATE/fenced ]] || FENCED=yes
}

# What of another member holds here as well. "primary" says of each member whether it led, and a copy would make this one sure of what it does not know.
how_to_mend() {
  case $1 in
    owner) printf 'write the line of the other members' ;;
    epoch) printf 'write the line with the highest number of all members' ;;
    *) printf '%s' "never copy it, but remove it and $STATE/standing; then standfast prepare CLUSTER PRIMARY, with all other members present, writes the newest" ;;
  esac
}

keep_record() {
  local -a field=("${BASH_REMATCH[@]:1}")
  case $1 in
    owner) OWNER=${field[0]} ;;
    epoch) EPOCH=${field[0]} EPOCH_RUN=${field[1]} ;;
    primary) PRIMARY_EPOCH=${field[0]} PRIMARY_RUN=${field[1]} PRIMARY=${field[2]} LED=${field[4]:--} LINEAGE=${field[5]#-} ;;
    sync) SYNC_EPOCH=${field[0]} MODE=${field[1]} ACKERS=${field[2]#-} K=${field[3]} ;;
  esac
}

check_owner() {
  [[ $OWNER == "${ARG[owner]}" ]] && return 0
  refuse Unsafe "$HOSTNAME obeys the control plane \"${OWNER:-nobody}\", not \"${ARG[owner]}\"; nothing was changed; a person can run as root on $HOSTNAME: standfast-host hand-over owner=${ARG[owner]} (and on a majority of the members)"
}

# The first order decides whom this host obeys.
adopt_owner() {
  [[ -z $OWNER ]] || return 0
  store_records owner "${ARG[owner]}"
  OWNER=${ARG[owner]}
}

check_epoch() {
  [[ $EPOCH == "${ARG[epoch]}" && $EPOCH_RUN == "${ARG[run]}" ]] && return 0
  refuse Stale "$HOSTNAME has accepted epoch $EPOCH of run \"$EPOCH_RUN\"; $VERB came with epoch ${ARG[epoch]} of run \"${ARG[run]}\" and was not carried out; observe again"
}

verb_hello() {
  local machine=''
  [[ ! -r /etc/machine-id ]] || IFS= read -r machine </etc/machine-id
  read_boot
  now
  say version "$VERSION"
  say protocol 1
  say hostname "$HOSTNAME"
  say machine "$machine"
  say boot "$BOOT"
  say now "$NOW"
}

# Says the records that were read, and since when this helper knows how to say them.
say_records() {
  local confirmed=yes
  load_standing && load_refused || return 1
  [[ $CONFIRMED_BOOT == "$BOOT" ]] || confirmed=no
  say owner "$OWNER"
  say epoch "${EPOCH#0}"
  say run "$EPOCH_RUN"
  say primary "$PRIMARY"
  say primary_epoch "$PRIMARY_EPOCH"
  say primary_run "$PRIMARY_RUN"
  say mode "$MODE"
  say ackers "$ACKERS"
  say k "$K"
  say sync_epoch "$SYNC_EPOCH"
  say fenced "$FENCED"
  say lineage "$LINEAGE"
  say standing "$STANDING"
  say boot "$BOOT"
  say confirmed "$confirmed"
  say_refused
  say level "$LEVEL"
}

# With what changes in a failover, as far as it can be told without starting a process.
verb_records() {
  local mysqld=stopped keepalived=stopped
  load_records && say_records || return 1
  scan_processes
  ((${#MYSQLD[@]} == 0)) || mysqld=running
  ((${#KEEPALIVED[@]} == 0)) || keepalived=running
  read_role
  say mysqld "$mysqld"
  say keepalived "$keepalived"
  say role "$ROLE"
  say_room
  say_addresses
}

verb_assert() {
  load_records && check_owner && check_epoch
}

# set_primary TEXT, set_sync TEXT: what is to be stored, unless it is there already.
set_primary() {
  [[ "$PRIMARY_EPOCH $PRIMARY_RUN $PRIMARY $LED ${LINEAGE:--}" == "$1" ]] || FRESH+=(primary "$1")
}

set_sync() {
  [[ "$SYNC_EPOCH $MODE ${ACKERS:--} $K" == "$1" ]] || FRESH+=(sync "$1")
}

store_fresh() {
  ((${#FRESH[@]} == 0)) || store_records "${FRESH[@]}"
}

verb_record_primary() {
  local led=$LED lineage=${ARG[lineage]-$LINEAGE}
  local -a FRESH=()
  load_standing
  [[ ${ARG[host]} != "$MEMBER" ]] || led=led
  set_primary "$EPOCH $EPOCH_RUN ${ARG[host]} $led ${lineage:--}"
  if [[ -v ARG[mode] ]]; then
    [[ -v ARG[ackers] && -v ARG[k] ]] || refuse BadInput 'record-primary: mode comes with ackers and k'
    set_sync "$EPOCH ${ARG[mode]} ${ARG[ackers]:--} ${ARG[k]}"
  fi
  store_fresh
  end_files "${ARG[host]}"
  say primary "${ARG[host]}"
  say primary_epoch "$EPOCH"
}

verb_record_sync() {
  local -a FRESH=()
  set_sync "$EPOCH ${ARG[mode]} ${ARG[ackers]:--} ${ARG[k]}"
  store_fresh
  say mode "${ARG[mode]}"
  say sync_epoch "$EPOCH"
}

# What a person decides is not for the account of the workers.
refuse_account() {
  [[ ${SUDO_USER-} != "${CONF[account]}" ]] ||
    refuse Unsafe "$1 is for a person on $HOSTNAME, not for the account ${CONF[account]}; nothing was changed"
}

verb_hand_over() {
  refuse_account hand-over
  store_records owner "${ARG[owner]}"
  say owner "${ARG[owner]}"
}
