# --- what runs on this host, read from /proc without starting a process ---

# A killed process is gone when its last thread is: until then it may still hold its files and sockets.
is_zombie() {
  local stat
  local -a threads
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  [[ ${stat##*) } == [ZX]* ]] || return 1
  threads=("/proc/$1/task/"*)
  ((${#threads[@]} <= 1))
}

# Another instance on the same machine (a container, a second data directory) is not ours to kill.
is_our_database() {
  [[ /proc/$1/root -ef / ]] || return 1
  [[ /proc/$1/cwd -ef ${CONF[datadir]} ]] && return 0
  [[ ! -e /proc/$1/cwd/ibdata1 && ! -e /proc/$1/cwd/aria_log_control ]]
}

# An init script asks the server's program for its settings while it waits, and so does an audit: that process serves nobody, and ends by itself.
only_prints() {
  local argument
  while IFS= read -rd '' argument; do
    [[ $argument != @(--print-defaults|--help|--version) ]] || return 0
  done <"/proc/$1/cmdline"
  return 1
} 2>/dev/null

# Sets MYSQLD, SUPERVISORS, KEEPALIVED: lists of process IDs.
scan_processes() {
  local folder name pid
  MYSQLD=() SUPERVISORS=() KEEPALIVED=()
  for folder in /proc/[1-9]*; do
    { read -r name <"$folder/comm"; } 2>/dev/null || continue
    pid=${folder#/proc/}
    case $name in
      mariadbd | mysqld) is_our_database "$pid" && ! only_prints "$pid" && ! is_zombie "$pid" && MYSQLD+=("$pid") ;;
      mariadbd-safe | mysqld_safe) [[ $folder/root -ef / ]] && ! is_zombie "$pid" && SUPERVISORS+=("$pid") ;;
      keepalived) [[ $folder/root -ef / ]] && ! is_zombie "$pid" && KEEPALIVED+=("$pid") ;;
    esac
  done
}

mysqld_runs() {
  scan_processes
  ((${#MYSQLD[@]} > 0))
}

mysqld_gone() {
  ! mysqld_runs
}

supervisor_present() {
  ((${#SUPERVISORS[@]} > 0)) || unit_is_up
}

# Asked from the kernel through ss: reading /proc/net/tcp walks every bucket of its table. No answer counts as listening.
port_listens() {
  local sockets
  sockets=$(ss -Hltn "sport = :${CONF[port]}") || return 0
  [[ -n $sockets ]]
}

# The rule itself, not our memory of it: a firewall reload may have flushed it.
port_dropped() {
  [[ -e $RUN/port-rule ]] && nft list chain inet standfast output 2>/dev/null | grep "sport ${CONF[port]} .*drop" >/dev/null
}

# has_address ADDRESS: whether the kernel has it as a local address, on whatever interface. Read at once: line by line takes four times as long.
has_address() {
  local line found=no
  local -a trie
  mapfile -t trie </proc/net/fib_trie
  for line in "${trie[@]}"; do
    case $line in
      *"-- $1") found=yes ;;
      *'/32 host LOCAL'*) [[ $found == no ]] || return 0 ;;
      *) found=no ;;
    esac
  done
  return 1
}

# Every local address of the kernel, as a comma list.
say_addresses() {
  local line address='' text=''
  local -a trie
  mapfile -t trie </proc/net/fib_trie
  for line in "${trie[@]}"; do
    case $line in
      *'-- '*) address=${line##*-- } ;;
      *'/32 host LOCAL'*) [[ ",$text," == *",$address,"* ]] || text+="${text:+,}$address" ;;
    esac
  done
  say addresses "$text"
}

lacks_address() {
  ! has_address "$1"
}

read_role() {
  ROLE=0
  [[ -e $ROLE_FILE ]] || return 0
  { read -r ROLE <"$ROLE_FILE"; } 2>/dev/null
  [[ $ROLE =~ ^[0-9]+$ ]] || ROLE=0
}

say_mysqld() {
  local ticks key value boot=0
  say mysqld "$1"
  say pid "${MYSQLD[0]-}"
  [[ $1 == running ]] || { say started ''; return 0; }
  while read -r key value; do
    [[ $key != btime ]] || { boot=$value; break; }
  done </proc/stat
  process_start "${MYSQLD[0]}" && ticks=$START
  say started "$((boot + ${ticks:-0} / 100))"
}

verb_observe() {
  local mysqld=stopped port=refused supervisor=no vip=no keepalived=stopped free='' uptime fenced=no enforced=yes
  scan_processes
  ((${#MYSQLD[@]} == 0)) || mysqld=running
  ((${#KEEPALIVED[@]} == 0)) || keepalived=running
  ! supervisor_present || supervisor=yes
  ! port_listens || port=open
  ! port_dropped || port=dropped
  [[ ! -v ARG[vip] ]] || ! has_address "${ARG[vip]}" || vip=yes
  [[ ! -e $STATE/fenced ]] || fenced=yes
  load_refused || return 1
  is_enforced || enforced=no
  [[ ! -d ${CONF[datadir]} ]] || { free_bytes; free=$FREE_BYTES; }
  read -r uptime _ </proc/uptime
  read_role
  say_mysqld "$mysqld"
  say port "$port"
  say supervisor "$supervisor"
  say vip "$vip"
  say role "$ROLE"
  say keepalived "$keepalived"
  say fenced "$fenced"
  say_refused
  say refusal "$enforced"
  say_room
  [[ ! -v ARG[interface] ]] || say_mac "${ARG[interface]}"
  say disk_free "$free"
  say uptime "${uptime%.*}"
}

# Sets FREE_BYTES; empty when it cannot be told.
free_bytes() {
  local out
  FREE_BYTES=''
  out=$(df --output=avail -B1 "${CONF[datadir]}") && FREE_BYTES=${out//[!0-9]/}
}
