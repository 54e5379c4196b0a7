# --- what a person decides: the data of a server are not needed any more ---

# The data go, and only then the fence: the old data must never be started again. Ended in the middle, it goes on where it is asked again.
verb_discard_data() {
  local left
  refuse_account discard-data
  load_standing
  [[ ${ARG[host]} == "${MEMBER:-$HOSTNAME}" || ${ARG[host]} == "$HOSTNAME" ]] ||
    refuse BadInput "discard-data: this is ${MEMBER:-$HOSTNAME}, not ${ARG[host]}; nothing was changed"
  # A failover may be between its fence and its record, and about to read what only this host has.
  MEMBER=${MEMBER:-${ARG[host]}}
  [[ $PRIMARY != "$MEMBER" ]] ||
    refuse Unsafe "discard-data: $MEMBER is recorded here as the primary; nothing was changed; after a failover, standfast rejoin CLUSTER $MEMBER tells it who is, and sets aside what only it has"
  refuse_if_relied_on
  refuse_during_installation
  within 2000 database_and_supervisor_gone || refuse Unsafe "mysqld, or what starts it again, runs on $HOSTNAME; nothing was changed; stop it first"
  check_is_data_directory
  # Its children one by one: what is mounted among them is not data of this server, and makes this end.
  find "${CONF[datadir]}/" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --preserve-root=all --one-file-system -- {} + 2>>"$ERRORS"
  left=$(find "${CONF[datadir]}/" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) && [[ -z $left ]] ||
    refuse Unverified "${CONF[datadir]} on $HOSTNAME could not be emptied${left:+ ($left is left)}, so the fence stands as it did; look at it, and ask again"
  sync -f "${CONF[datadir]}"
  if [[ $FENCED == yes ]]; then verb_unfence; else say fenced no; fi
}

# It belongs to the server's account, nobody else's server works in it, and no copy is on its way into it.
check_is_data_directory() {
  local uid pid file state
  uid=$(stat -Lc %u "${CONF[datadir]}/.") || refuse Unsafe "$HOSTNAME has no data directory ${CONF[datadir]}; nothing was changed"
  ((uid != 0)) || refuse Unsafe "${CONF[datadir]} on $HOSTNAME belongs to root, so it is no data directory of a server; nothing was changed; look at datadir in $SETTINGS"
  for pid in "${STRANGERS[@]}"; do
    [[ $(readlink "/proc/$pid/cwd") != "$(readlink -f "${CONF[datadir]}")"/* ]] ||
      refuse Unsafe "another server (process $pid) works inside ${CONF[datadir]} on $HOSTNAME; nothing was changed"
  done
  for file in "$JOBS"/*/state; do
    [[ -e $file ]] || continue
    read -r state _ <"$file"
    [[ $state != running ]] || refuse Unsafe "the job in ${file%/state} is under way on $HOSTNAME; nothing was changed; let it end, or clean it first"
  done
}
