# --- fence: by proof, this server can no longer acknowledge a write. No SQL: a hung server answers none ---

close_at_boot() {
  local old=''
  [[ ! -e ${CONF[dropin]} ]] || old=$(<"${CONF[dropin]}")
  [[ -d ${CONF[dropin]%/*} && $old != "$CLOSED"* ]] || return 0
  store "${CONF[dropin]}" 0644 "$CLOSED"
}

# Clients send to this host until they learn who has the VIP now: a connection that is refused is tried again at once, one that nobody answers only
# when its own time limit is over. A kernel before 5.9 cannot refuse for an address that it does not have.
drop_port() {
  local for_vip=''
  [[ ! -v ARG[vip] ]] ||
    for_vip="chain vip { type filter hook prerouting priority -310; policy accept; ip daddr ${ARG[vip]} tcp dport ${CONF[port]} reject with tcp reset; }"
  shut_port "$for_vip" || shut_port ''
}

# Both directions, loopback too: nothing but a reset gets out, not even an acknowledgement already in a buffer. The reset tells clients and
# replicas at once; a silent drop would keep a replica's receiver in its connect for slave_net_timeout.
shut_port() {
  replace_table standfast "$RUN/port-rule" "
  chain input { type filter hook input priority -10; policy accept; tcp dport ${CONF[port]} reject with tcp reset; }
  chain output { type filter hook output priority -10; policy accept; tcp sport ${CONF[port]} tcp flags & rst != rst drop; }
  $1"
}

# replace_table NAME FILE CONTENT: FILE is there when we made the table before, if it could be made. What takes a rule away waits until no processor can be at it, 10 to 30 ms:
# where no table is, it is only made. The kernel takes all of it or nothing.
replace_table() {
  local made="table inet $1 {$3"$'\n}'
  if [[ -e $2 ]] || ! nft "create table inet $1"$'\n'"$made" 2>>"$ERRORS"; then
    nft "add table inet $1; delete table inet $1"$'\n'"$made" 2>>"$ERRORS" || return 1
  fi
  { : >"$2"; } 2>/dev/null || true
}

# Whoever is connected hears of it at once: the end of a killed process alone would be a packet that the rule drops, and its client would wait for ever.
# So does whoever is connected to the VIP for something else. One question: each reads all connections of this host, 6 ms.
reset_clients() {
  ss -K "sport = :${CONF[port]}${ARG[vip]:+ or src ${ARG[vip]}}" >/dev/null 2>&1
}

# remove_table NAME FILE: whether it was there or not.
remove_table() {
  nft "add table inet $1; delete table inet $1" 2>>"$ERRORS" && rm -f "$2"
}

open_port() {
  remove_table standfast "$RUN/port-rule"
}

# Supervisors first and again: one may have forked a server after it was seen.
kill_database() {
  scan_processes
  ((${#SUPERVISORS[@]} == 0)) || kill -KILL "${SUPERVISORS[@]}" 2>/dev/null
  ((${#MYSQLD[@]} == 0)) || kill -KILL "${MYSQLD[@]}" 2>/dev/null
  ((${#SUPERVISORS[@]} + ${#MYSQLD[@]} == 0))
}

# Twice in a row: the process table is read while it changes.
database_is_dead() {
  kill_database && kill_database && ! supervisor_present && ! port_listens && PORT=closed
}

# As fences of earlier versions left it.
unmask_unit() {
  ! has_systemd || systemd unmask --runtime -- "${CONF[unit]}"
}

# That the port is dropped was acknowledged by the kernel in this same call (drop_port).
say_proof() {
  local process=gone supervisor=gone vip=no
  ((${#MYSQLD[@]} == 0)) || process=present
  ! supervisor_present || supervisor=present
  [[ ! -v ARG[vip] ]] || ! has_address "${ARG[vip]}" || vip=yes
  PROOF="process=$process supervisor=$supervisor port=$PORT vip=$vip"
  say process "$process"
  say supervisor "$supervisor"
  say port "$PORT"
  say vip "$vip"
}

# That it is there says everything, so a torn one will do, and it need not be renamed into its place.
mark_fenced() {
  [[ $FENCED == no ]] || return 0
  write_fresh "$STATE/fenced" "$EPOCH $EPOCH_RUN" && sync "$STATE/fenced" "$STATE" && return 0
  rm -f "$STATE/fenced"
  refuse_unwritten "the mark $STATE/fenced" "$STATE"
}

verb_fence() {
  local shut=yes
  if [[ -v ARG[vip] && ! (-v ARG[interface] && -v ARG[prefix]) ]]; then
    refuse BadInput 'fence: vip comes with interface and prefix, or not at all'
  fi
  [[ ! -v ARG[logs] ]] || foresee_defaults
  close_at_boot
  mark_fenced
  [[ ! -v ARG[vip] ]] || end_announcement
  end_group "$RUN/starter"
  drop_port || shut=no
  # Before the address goes: the kernel cannot tell a client anything from an address that it does not have.
  reset_clients
  [[ ! -v ARG[vip] ]] || drop_role
  [[ $shut == yes ]] || refuse Unverified "fence of $HOSTNAME: nft could not drop port ${CONF[port]}; the mark is set, mysqld was not killed; see that nftables works there"
  hold_unit || refuse Unverified "fence of $HOSTNAME: systemd does not heed the condition in the drop-in of ${UNIT-${CONF[unit]}}, and would start it again; mysqld was not killed"
  end_unit
  PORT=open
  within 5000 database_is_dead || true
  [[ ! -v ARG[vip] ]] || remove_address
  scan_processes
  say_proof
  [[ $PROOF == 'process=gone supervisor=gone port=closed vip=no' ]] ||
    refuse Unverified "fence of $HOSTNAME is not proven: $PROOF; treat it as still able to acknowledge writes"
  [[ ! -v ARG[logs] ]] || say_log_end
}

# For whoever knows how far it was read. Nothing is said of a log that is not found, nor of another one in its place: it is looked for again by the verb that
# reads it. Nor of one whose disk does not answer: the fence stands all the same.
say_log_end() {
  local end=''
  IFS= read -rt 1 end < <(close_lock; log_end)
  [[ $end =~ :[0-9]+$ ]] || end=''
  say log_end "$end"
}

log_end() {
  local GONE=''
  local -a LOGS=()
  log_indexes log_bin
  ((${#INDEXES[@]} != 1)) || logs_of_index "${INDEXES[0]}"
  [[ -z $GONE ]] && ((${#LOGS[@]} > 0)) || return 0
  printf '%s:' "${LOGS[-1]##*/}"
  exec stat -c %s "${LOGS[-1]}"
}

verb_unfence() {
  open_port || refuse Unverified "unfence of $HOSTNAME: nft could not remove the rule on port ${CONF[port]}; it is still fenced"
  unmask_unit || refuse Unverified "unfence of $HOSTNAME: the unit ${CONF[unit]} could not be unmasked; it is still fenced"
  rm -f "$STATE/fenced" && sync "$STATE" || refuse Unverified "unfence of $HOSTNAME: $STATE/fenced could not be removed"
  keep_spares
  say fenced no
}
