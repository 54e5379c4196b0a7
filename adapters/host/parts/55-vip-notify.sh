# --- what keepalived runs: one line per change of state arrives on its FIFO ---

# A host that was MASTER and stays BACKUP has been passed by a newer one: it gives up its role for good.
# MASTER_RX_LOWER_PRI and the like are remarks, not states.
vip_notify() {
  local state was_master=no yielded_role='' line
  exec {EVENTS}<"$1" || return 1
  while true; do
    if [[ -n $yielded_role ]]; then
      IFS= read -rt 0.5 -u "$EVENTS" line
    else
      IFS= read -r -u "$EVENTS" line
    fi
    case $? in
      0) ;;
      1) return 0 ;;
      *) clear_role "$yielded_role"; yielded_role=''; continue ;;
    esac
    [[ $line =~ ^INSTANCE\ \"[^\"]*\"\ (MASTER|BACKUP|FAULT|STOP)(\ |$) ]] || continue
    state=${BASH_REMATCH[1]}
    # Over what is there, at once and at the same length: a reader never finds it empty.
    printf '%-6s\n' "$state" 1<>"$RUN/vip-state"
    yielded_role=''
    case $state in
      MASTER) was_master=yes ;;
      BACKUP) [[ $was_master == no ]] || { read_role; yielded_role=$ROLE; }; was_master=no ;;
      *) was_master=no ;;
    esac
  done
}

# Under the lock, and only the role that yielded: an order may have given this host a new one in the meantime.
clear_role() {
  VERB="vip-notify"
  (
    take_lock 10 || exit 0
    read_role
    [[ $ROLE != "$1" || $ROLE == 0 ]] || write_role 0
  )
}
