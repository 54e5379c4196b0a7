# --- replicas that this server refuses: whom the records no longer name must not acknowledge a write ---

declare -A REFUSED=()

# Sets REFUSED: address -> epoch at which it was refused. A damaged list must not look like an empty one.
load_refused() {
  local address epoch rest
  REFUSED=()
  [[ -e $STATE/refused ]] || return 0
  while read -r address epoch rest || [[ -n $address ]]; do
    if ! [[ $address =~ $IPV4 && $epoch =~ ^[1-9][0-9]*$ && -z $rest ]]; then
      refuse Unsafe "the record $STATE/refused on $HOSTNAME is damaged (\"$address $epoch\"); write one line \"ADDRESS EPOCH\" for each replica that may not connect, or remove the file when there is none"
      return 1
    fi
    REFUSED[$address]=$epoch
  done <"$STATE/refused"
}

store_refused() {
  local address text=''
  for address in "${!REFUSED[@]}"; do
    text+="${text:+$'\n'}$address ${REFUSED[$address]}"
  done
  if [[ -n $text ]]; then
    store_records refused "$text"
  elif [[ -e $STATE/refused ]]; then
    rm "$STATE/refused" && sync "$STATE" || refuse Unverified "cannot remove $STATE/refused on $HOSTNAME; look at the disk"
  fi
}

# A table of its own: the fence replaces its table as a whole, and must not let anybody in by that.
enforce_refused() {
  local address rules=''
  for address in "${!REFUSED[@]}"; do
    rules+="ip saddr $address tcp dport ${CONF[port]} reject with tcp reset;"$'\n'
  done
  if [[ -z $rules ]]; then
    remove_table standfast_replicas "$RUN/replicas-rule"
  else
    replace_table standfast_replicas "$RUN/replicas-rule" "
  chain input { type filter hook input priority -10; policy accept;
$rules}"
  fi || refuse Unverified "nft on $HOSTNAME could not replace the rules for refused replicas; who is refused is on record, but not enforced; see that nftables works there"
}

# The kernel's rules, not our memory of them: a firewall reload or a reboot may have flushed them.
is_enforced() {
  local address rules
  ((${#REFUSED[@]} > 0)) || return 0
  rules=$(nft list chain inet standfast_replicas input 2>/dev/null) || return 1
  for address in "${!REFUSED[@]}"; do
    [[ $rules == *"ip saddr $address tcp dport ${CONF[port]} reject with tcp reset"* ]] || return 1
  done
}

say_refused() {
  local address text=''
  for address in "${!REFUSED[@]}"; do
    text+="${text:+,}$address@${REFUSED[$address]}"
  done
  say refused "$text"
}

# Without an address: what is on record is enforced again, as before a server is opened.
verb_refuse_replica() {
  load_refused
  if [[ -v ARG[address] ]]; then
    REFUSED[${ARG[address]}]=$EPOCH
    store_refused
  fi
  enforce_refused
  say_refused
}

# Whoever lifts a refusal names the one that it saw: one that was made since then stands.
verb_admit_replica() {
  local at
  load_refused
  at=${REFUSED[${ARG[address]}]-}
  if [[ -n $at && $at != "${ARG[refused_at]}" ]]; then
    refuse Stale "$HOSTNAME refuses ${ARG[address]} since epoch $at, not since epoch ${ARG[refused_at]}; it was not let in; observe again"
  fi
  unset "REFUSED[${ARG[address]}]"
  store_refused
  enforce_refused
  say_refused
}
