# --- the floating address: keepalived follows the role file, it never elects ---

# As it was before this host came into care. Not beside keepalived's own: what is there must not name the address when it is held without keepalived.
readonly KEEPALIVED_BEFORE=$STATE/keepalived.conf.before-standfast

# keepalived must never read half a number: one digit is written over another, and any other file is renamed over the old one. /run is memory, nothing to sync.
write_role() {
  read_role
  [[ -e $ROLE_FILE && $ROLE == "$1" ]] && return 0
  if [[ -s $ROLE_FILE ]] && ((ROLE < 10 && $1 < 10)); then
    printf '%s\n' "$1" 1<>"$ROLE_FILE"
  else
    (umask 022; printf '%s\n' "$1" >"$ROLE_FILE.new") && mv -T "$ROLE_FILE.new" "$ROLE_FILE"
  fi || refuse Unverified "cannot write $ROLE_FILE on $HOSTNAME"
}

give_up_role() {
  end_announcement
  ! has_address "${ARG[vip]}" || ss -K src "${ARG[vip]}" >/dev/null 2>&1
  drop_role
}

# In place: whoever reads it in between finds it empty, and that is no role either. The end of a process that renames would be a part of the clients' gap.
drop_role() {
  if [[ ! -e $ROLE_FILE ]]; then
    write_role 0
  else
    printf '0\n' >"$ROLE_FILE" || refuse Unverified "cannot write $ROLE_FILE on $HOSTNAME"
  fi
}

# After give_up_role, and scan_processes before that: as soon as the role is 0 nobody answers the clients, and every look is a part of their gap.
remove_address() {
  if ((${#KEEPALIVED[@]} > 0)) && keepalived_is MASTER && POLL=0.001 within 100 lacks_address "${ARG[vip]}"; then
    return 0
  fi
  has_address "${ARG[vip]}" || return 0
  ip addr del "${ARG[vip]}/${ARG[prefix]}" dev "${ARG[interface]}" 2>>"$ERRORS"
  lacks_address "${ARG[vip]}"
}

# Three times in as many seconds, of which clients wait for the first: not in a session of its own, so that it goes before others on a busy host as the order does.
announce_address() {
  announcement_over
  (trap '' HUP; exec arping -q -U -c 3 -w 3 -I "${ARG[interface]}" "${ARG[vip]}" {LOCK}>&- {PAUSE}>&- </dev/null >>"$ERRORS" 2>&1) &
  process_start "$!"
  printf '%s %s\n' "$!" "$START" >"$RUN/announcer"
}

end_announcement() {
  within 1000 announcement_over || refuse Unverified "$HOSTNAME cannot end its announcement of ${ARG[vip]} (process $GROUP)"
}

# It would go on announcing this host after another one has taken the address.
announcement_over() {
  group_alive "$RUN/announcer" || return 0
  kill -KILL "$GROUP" 2>/dev/null
  return 1
}

# Not from /sys, which in a namespace may show another network's interfaces.
say_mac() {
  local mac='' line
  line=$(ip -o link show dev "$1" 2>/dev/null)
  [[ ! $line =~ link/ether\ ([0-9a-f:]{17}) ]] || mac=${BASH_REMATCH[1]}
  say mac "$mac"
}

check_interface() {
  local line
  while read -r line; do
    [[ $line != "$1:"* ]] || return 0
  done </proc/net/dev
  refuse BadInput "$HOSTNAME has no interface $1; nothing was changed"
}

verb_vip_take() {
  [[ $FENCED == no ]] || refuse Unsafe "$HOSTNAME is fenced; it may not hold ${ARG[vip]}; nothing was changed"
  check_interface "${ARG[interface]}"
  has_address "${ARG[vip]}" || ip addr add "${ARG[vip]}/${ARG[prefix]}" dev "${ARG[interface]}" 2>>"$ERRORS"
  announce_address
  write_role "${ARG[n]}"
  within 1000 has_address "${ARG[vip]}" || refuse Unverified "$HOSTNAME does not have ${ARG[vip]} after taking it: $(tail -n 1 "$RUN/daemon.log")"
  say vip yes
  say role "${ARG[n]}"
  say_mac "${ARG[interface]}"
}

verb_vip_drop() {
  scan_processes
  give_up_role
  remove_address || refuse Unverified "$HOSTNAME still has ${ARG[vip]} after dropping it: $(tail -n 1 "$RUN/daemon.log")"
  say vip no
  say role 0
}

# Who answers for the address, asked on the wire.
verb_vip_probe() {
  local line mac=''
  if has_address "${ARG[vip]}"; then
    say vip yes
    say_mac "${ARG[interface]}"
    return 0
  fi
  check_interface "${ARG[interface]}"
  while IFS= read -r line; do
    [[ ! $line =~ \[([0-9A-Fa-f:]{17})\] ]] || mac=${BASH_REMATCH[1],,}
  done < <(arping -f -c 2 -w 1 -I "${ARG[interface]}" "${ARG[vip]}" 2>>"$ERRORS")
  say vip no
  say mac "$mac"
}

# keepalived_is STATE: what it last told vip-notify.
keepalived_is() {
  local state
  [[ -e $RUN/vip-state ]] && read -r state _ <"$RUN/vip-state" && [[ $state == "$1" ]]
}

keepalived_service() {
  if has_systemd; then as_daemon systemctl "$1" keepalived; else as_daemon service keepalived "$1"; fi
}

keepalived_gone() {
  scan_processes
  ((${#KEEPALIVED[@]} == 0))
}

# A fault in the tracking fails open in keepalived (a typo in a track_file's name is enough), so it is tried, not read.
prove_no_role_no_master() {
  read_role
  ((ROLE == 0)) || return 0
  within 5000 keepalived_is FAULT && return 0
  local state=unknown
  [[ ! -e $RUN/vip-state ]] || read -r state <"$RUN/vip-state"
  keepalived_service stop
  within 5000 keepalived_gone ||
    refuse Unsafe "keepalived on $HOSTNAME did not enter FAULT without a role (state: $state) and could not be stopped; it can take the address by itself; stop it"
  refuse Unsafe "keepalived on $HOSTNAME did not enter FAULT without a role (state: $state), so it could take the address by itself; it was stopped; look at $KEEPALIVED_CONF"
}

check_keepalived_conf() {
  local said status=0
  printf '%s\n' "${ARG[content]}" >"$RUN/keepalived.conf" || refuse Unverified "cannot write $RUN/keepalived.conf on $HOSTNAME"
  said=$(keepalived -t -f "$RUN/keepalived.conf" 2>&1) || status=$?
  ((status == 0)) || refuse BadInput "keepalived on $HOSTNAME refuses this configuration (exit $status): ${said:0:600}; nothing was changed"
}

# check_file_is_ours TEXT: what somebody else wrote is replaced as a whole. What it does besides holding this one address would end with it.
check_file_is_ours() {
  local word name address='' instances='' others=''
  [[ -n $1 && $1 != '# Written by Standfast'* ]] || return 0
  [[ ! ${ARG[content]} =~ virtual_ipaddress[[:space:]]*\{[[:space:]]*([0-9.]+) ]] || address=${BASH_REMATCH[1]}
  while read -r word name _; do
    case $word in
      vrrp_instance) instances+="${instances:+, }${name%\{}" ;;
      virtual_server | virtual_server_group | include) others+="${others:+, }$word ${name%\{}" ;;
    esac
  done <<<"$1"
  [[ $instances == *,* || -n $others || ($instances != '' && $1 != *"$address"*) ]] || return 0
  refuse Unsafe "keepalived on $HOSTNAME does more than hold $address (vrrp_instance $instances${others:+; $others}), and its configuration would be replaced as a whole; nothing was changed; take the rest out of $KEEPALIVED_CONF, or take this address out of it and set vip.driver: direct"
}

# Whatever else is configured to hold the address would take it by rules of its own, at the next boot at the latest.
check_nobody_else_holds() {
  local found
  found=$(grep -rlwF -e "${ARG[vip]}" "${KEEPALIVED_CONF%/*}" 2>/dev/null | head -n 1)
  [[ -z $found ]] || refuse BadInput "keepalived on $HOSTNAME is configured for ${ARG[vip]} (in $found), and vip.driver is direct: nothing else may hold the address. Take it out of there and stop keepalived, or set vip.driver: keepalived; nothing was changed"
  # It goes on with what it read when it was started, and takes the address with it when it ends.
  scan_processes
  [[ ! -e $RUN/vip-state ]] || ((${#KEEPALIVED[@]} == 0)) ||
    refuse BadInput "keepalived on $HOSTNAME still runs with the configuration that it had for ${ARG[vip]}, and vip.driver is direct; stop it; nothing was changed"
  rm -f "$RUN/vip-state"
}

verb_configure_vip() {
  if [[ -v ARG[vip] ]]; then
    [[ ! -v ARG[content] ]] || refuse BadInput 'configure-vip: content is for keepalived, vip for an address that this helper alone holds; not both'
    check_nobody_else_holds
    say changed no
    return 0
  fi
  [[ -v ARG[content] ]] || refuse BadInput 'configure-vip: missing content; it needs the configuration of keepalived, or vip'
  local old='' changed=no how=start content=${ARG[content]%$'\n'}
  check_keepalived_conf
  [[ ! -e $KEEPALIVED_CONF ]] || old=$(<"$KEEPALIVED_CONF")
  scan_processes
  ((${#KEEPALIVED[@]} == 0)) || how=reload
  if [[ $old != "$content" ]]; then
    check_file_is_ours "$old"
    [[ -z $old || $old == '# Written by Standfast'* || -e $KEEPALIVED_BEFORE ]] || store "$KEEPALIVED_BEFORE" 0600 "$old"
    install -d -m 0755 "${KEEPALIVED_CONF%/*}"
    store "$KEEPALIVED_CONF" 0644 "$content"
    changed=yes
  fi
  if [[ $changed == yes || $how == start ]]; then
    rm -f "$RUN/vip-state"
    keepalived_service "$how"
  fi
  prove_no_role_no_master
  say changed "$changed"
}
