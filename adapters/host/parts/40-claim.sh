# --- claim: this member obeys a newer operation, and older sessions are gone ---

check_claim() {
  [[ -z $OWNER ]] || check_owner
  ((ARG[epoch] > EPOCH)) && return 0
  [[ $EPOCH == "${ARG[epoch]}" && $EPOCH_RUN == "${ARG[run]}" ]] && return 0
  refuse Stale "$HOSTNAME has accepted epoch $EPOCH of run \"$EPOCH_RUN\" and refuses epoch ${ARG[epoch]} of run \"${ARG[run]}\"; nothing was changed; observe again and claim a higher one"
}

# has_socket PID…: whether anybody can have a session there. While a server recovers from a crash (or begins otherwise) it has none, neither to listen nor of a client,
# and answers nobody for as long as that takes; one that hangs, or shuts down with sessions left, has some. 1 and 2 may lead to systemd's journal. What cannot be
# looked at may be one.
has_socket() {
  local pid file
  for pid in "$@"; do
    for file in "/proc/$pid/fd/"*; do
      [[ -e $file && (! -S $file || ${file##*/} == [12]) ]] || return 0
    done
  done
  return 1
}

# Sets KILLED and SERVER (running, stopped or hung), and DENIED when nobody can log in since root cannot. Only the sessions that were there are waited for: one that comes later asks for the epoch before it acts,
# and a watcher that lost its own opens another at once. A heartbeat that was killed behind commits that wait for an acknowledgement ends when they do, and
# says no further statement: it is not waited for, since that acknowledgement may never come.
end_sessions() {
  local account="'${ARG[account]}'" sessions HUNG_AFTER=1
  # Whoever is about to kill the server anyway need not wait so long.
  [[ ! -v ARG[hung_after] ]] || printf -v HUNG_AFTER '%d.%03d' $((ARG[hung_after] / 1000)) $((ARG[hung_after] % 1000))
  KILLED=0 SERVER=stopped
  [[ -n ${SQL_PROCESS-} ]] || mysqld_runs || return 0
  if ! has_socket "${MYSQLD[@]}"; then
    SERVER=running
    return 0
  fi
  SERVER=hung
  # A server's own limit may cut the list short.
  sessions="SET STATEMENT group_concat_max_len=1048576 FOR SELECT COUNT(*), COALESCE(GROUP_CONCAT(ID SEPARATOR ' '), '') FROM information_schema.PROCESSLIST WHERE USER=$account AND NOT (COMMAND='Killed' AND COALESCE(INFO, '') LIKE '%standfast.heartbeat%')"
  within 3000 sessions_listed "$sessions" && [[ $HANGS$DENIED == no ]] || return 0
  SERVER=running KILLED=${ROW%%$'\t'*}
  if ((KILLED > 0)); then
    local old=${ROW#*$'\t'}
    kill_sessions
    within 3000 sessions_gone "$sessions AND ID IN (${old// /,})" ||
      refuse Unverified "epoch ${ARG[epoch]} is stored on $HOSTNAME, but sessions of $account (count and numbers: ${ROW:-unknown}) are still there; claim again"
  fi
  sql_close
}

# Sets HANGS: nothing was said in time. A server that refuses at once may only have no connection left, and others compete with us for the one that its
# administrator has: it is asked again, unless it denies root.
sessions_listed() {
  local status
  HANGS=no
  if [[ -n ${SQL_PROCESS-} ]] || sql_open 10; then
    sql_ask "$1" "$HUNG_AFTER"
    status=$?
    ((status != 0)) || return 0
    sql_close
    ((status <= 128)) || { HANGS=yes; return 0; }
  fi
  is_denied
}

# HARD also ends sessions that wait for an acknowledgement. One by one: KILL USER holds the locks of all of them while it wakes each,
# and was seen to stall for 2 s.
kill_sessions() {
  local session
  for session in ${ROW#*$'\t'}; do
    sql_do "KILL HARD CONNECTION $session"
  done
}

sessions_gone() {
  sql_ask "$1" 1 && [[ $ROW == 0$'\t'* ]]
}

# Answers with the records as they are under the new epoch.
verb_claim() {
  # The client that will list the sessions starts while the epoch is being stored.
  ! mysqld_runs || ! has_socket "${MYSQLD[@]}" || sql_open 10
  [[ "$EPOCH $EPOCH_RUN" == "${ARG[epoch]} ${ARG[run]}" ]] || store_records epoch "${ARG[epoch]} ${ARG[run]}"
  EPOCH=${ARG[epoch]} EPOCH_RUN=${ARG[run]}
  end_sessions
  say_records
  say sessions "$KILLED"
  say mysqld "$SERVER"
  [[ -z $DENIED ]] || say denied "$DENIED"
}
