# --- what a person decides: the data of a server are not needed any more ---

# The data go, and only then the fence: the old data must never be started again. Ended in the middle, it goes on where it is asked again.
verb_discard_data() {
  refuse_account discard-data
  load_standing
  [[ ${ARG[host]} == "${MEMBER:-$HOSTNAME}" || ${ARG[host]} == "$HOSTNAME" ]] ||
    refuse BadInput "discard-data: this is ${MEMBER:-$HOSTNAME}, not ${ARG[host]}; nothing was changed"
  [[ -z $MEMBER || $PRIMARY != "$MEMBER" || $FENCED == yes ]] ||
    refuse Unsafe "$MEMBER is recorded here as the primary, and is not fenced; nothing was changed"
  [[ -d ${CONF[datadir]} ]] || refuse Unsafe "$HOSTNAME has no data directory ${CONF[datadir]}; nothing was changed"
  within 2000 database_and_supervisor_gone || refuse Unsafe "mysqld, or what starts it again, runs on $HOSTNAME; nothing was changed; stop it first"
  find "${CONF[datadir]}/" -xdev -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --one-file-system -- {} + 2>>"$ERRORS"
  [[ -z $(find "${CONF[datadir]}/" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]] ||
    refuse Unverified "${CONF[datadir]} on $HOSTNAME could not be emptied, so the fence stands as it did; look at what is left, and ask again"
  sync -f "${CONF[datadir]}"
  if [[ $FENCED == yes ]]; then verb_unfence; else say fenced no; fi
}
