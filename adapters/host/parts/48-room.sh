# --- room: while a full server is given room for its ackers, everybody else is kept from connecting to it, for a moment ---

# Sets ROOM: how many connections the server took before an operation raised that; empty when none did. Noted of one server process: another one has begun with its own.
load_room() {
  local pid start limit
  ROOM=''
  [[ -e $RUN/room ]] && { read -r pid start limit <"$RUN/room"; } 2>/dev/null || return 0
  [[ ${MYSQLD[0]-} == "$pid" && $limit =~ $NUMBER ]] && process_start "$pid" && [[ $START == "$start" ]] && ROOM=$limit
  return 0
}

# Sets LEFT: for how many seconds clients are still refused. By what was noted, since the kernel's set would have to be asked for by a process.
refuses_clients() {
  local until
  [[ -e $RUN/room-until ]] && { read -r until <"$RUN/room-until"; } 2>/dev/null && [[ $until =~ $NUMBER ]] || return 1
  read_uptime
  LEFT=$(((until - UPTIME + 99) / 100))
  ((LEFT > 0 && LEFT <= 10))
}

say_room() {
  load_room
  [[ -z $ROOM ]] || say room "$ROOM"
  ! refuses_clients || say refuses_clients "$LEFT"
}

# Sets INSIDE and INSIDE6: who administrates this host over SSH now, a worker among them. It must see and tell the server meanwhile.
find_administrators() {
  local peer
  INSIDE=() INSIDE6=()
  while read -r _ _ _ peer _; do
    peer=${peer%:*} peer=${peer#\[} peer=${peer%\]} peer=${peer#::ffff:} peer=${peer%%%*}
    if [[ $peer =~ $IPV4 ]]; then INSIDE+=("$peer"); elif [[ $peer =~ ^[0-9a-f:]+$ ]]; then INSIDE6+=("$peer"); fi
  done < <(ss -Htnp state established 2>/dev/null | grep '"sshd')
}

# In a table of its own, by a set whose one element goes by itself: nothing has to live on for the port to be open again.
refuse_clients() {
  local exempt
  find_administrators
  local IFS=,
  INSIDE+=("${ARG[addresses]}")
  exempt="ip saddr { ${INSIDE[*]} } accept;"
  ((${#INSIDE6[@]} == 0)) || exempt+=" ip6 saddr { ${INSIDE6[*]} } accept;"
  replace_table standfast_room "$RUN/room-rule" "
  set shut { type inet_service; flags timeout; elements = { ${CONF[port]} timeout 10s } }
  chain input { type filter hook input priority -10; policy accept; $exempt tcp flags & (syn | ack) == syn tcp dport @shut reject with tcp reset; }"
}

# Where the kernel does not do it now, it does so by itself within ten seconds.
admit_clients() {
  remove_table standfast_room "$RUN/room-rule" && rm -f "$RUN/room-until"
}

# Of the kernel's ten seconds, which begin before this is written the second time.
note_refusal() {
  read_uptime
  replace "$RUN/room-until" 0600 $((UPTIME + 1000))
}

# The first limit that is told of a server process is the one to be put back, whoever raised it since. Without addresses everybody may connect again. Where the kernel
# cannot refuse, the limit alone has to do.
verb_make_room() {
  local refuses=no
  scan_processes
  ((${#MYSQLD[@]} > 0)) || refuse Unsafe "make-room: no database server runs on $HOSTNAME; nothing was changed"
  load_room
  if [[ -z $ROOM ]]; then
    process_start "${MYSQLD[0]}"
    replace "$RUN/room" 0600 "${MYSQLD[0]} $START ${ARG[limit]}"
    ROOM=${ARG[limit]}
  fi
  if [[ -v ARG[addresses] ]]; then
    note_refusal
    if refuse_clients; then refuses=yes && note_refusal; else rm -f "$RUN/room-until"; fi
  else
    admit_clients || true
  fi
  say limit "$ROOM"
  say refuses "$refuses"
}

# The limit is as it was: nothing is to be put back any more.
verb_end_room() {
  admit_clients || true
  rm -f "$RUN/room" || refuse Unverified "end-room: $RUN/room on $HOSTNAME could not be removed"
  say room ended
}
