# --- what a person decides: the data of a server are not needed any more ---

# The data go, and only then the fence: the old data must never be started again. Ended in the middle, it goes on where it is asked again.
verb_discard_data() {
  local left
  refuse_account discard-data
  load_standing
  [[ ${ARG[host]} == "${MEMBER:-$HOSTNAME}" || ${ARG[host]} == "$HOSTNAME" ]] ||
    refuse BadInput "discard-data: this is ${MEMBER:-$HOSTNAME}, not ${ARG[host]}; nothing was changed"
  [[ -n $MEMBER || -z $PRIMARY ]] || refuse Unsafe "discard-data: the records of $HOSTNAME do not say which member it is; nothing was changed; standfast prepare CLUSTER PRIMARY confirms them"
  refuse_if_relied_on
  refuse_during_installation
  within 2000 database_and_supervisor_gone || refuse Unsafe "mysqld, or what starts it again, runs on $HOSTNAME; nothing was changed; stop it first"
  check_is_data_directory
  find "${CONF[datadir]}/" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --preserve-root=all --one-file-system -- {} + 2>>"$ERRORS"
  left=$(find "${CONF[datadir]}/" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) && [[ -z $left ]] ||
    refuse Unverified "${CONF[datadir]} on $HOSTNAME could not be emptied${left:+ ($left is left)}, so the fence stands as it did; look at it, and ask again"
  sync -f "${CONF[datadir]}"
  if [[ $FENCED == yes ]]; then verb_unfence; else say fenced no; fi
}

# It belongs to the server's account, nothing is mounted in it, nobody else's server works there, and no copy is on its way into it.
check_is_data_directory() {
  local uid pid file directory
  uid=$(stat -Lc %u "${CONF[datadir]}/.") || refuse Unsafe "$HOSTNAME has no data directory ${CONF[datadir]}; nothing was changed"
  ((uid != 0)) || refuse Unsafe "${CONF[datadir]} on $HOSTNAME belongs to root, so it is no data directory of a server; nothing was changed; look at datadir in $SETTINGS"
  directory=$(readlink -f "${CONF[datadir]}")
  ! awk -v inside="$directory/" 'index($5, inside) == 1 { found = 1 } END { exit !found }' /proc/self/mountinfo ||
    refuse Unsafe "something is mounted inside ${CONF[datadir]} on $HOSTNAME; nothing was changed; unmount it first"
  for pid in "${STRANGERS[@]}"; do
    [[ $(readlink "/proc/$pid/cwd") != "$directory"/* && ! "/proc/$pid/cwd" -ef $directory ]] ||
      refuse Unsafe "another server (process $pid) works inside ${CONF[datadir]} on $HOSTNAME; nothing was changed"
  done
  for file in "$JOBS"/*/state; do
    [[ -e $file ]] || continue
    file=${file%/state}
    set_job "${file##*/}"
    read_state
    [[ $JOB_STATE != running && $JOB_STEP != installed ]] ||
      refuse Unsafe "the copy job $JOB on $HOSTNAME is $JOB_STATE at $JOB_STEP; nothing was changed; let its operation end, or clean it first"
  done
}
