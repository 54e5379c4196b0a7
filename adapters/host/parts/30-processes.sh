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

# shows_root PID: whether it can be told where it lives. Of a process that is ending it cannot, from a moment before its leader is a zombie until its last
# thread is gone: whatever is asked of it then is answered with nothing.
shows_root() {
  [[ -e /proc/$1/root ]]
}

# Another instance on the same machine (a container, a second data directory) is not ours to kill. A server that runs stands in its data directory.
is_our_database() {
  [[ /proc/$1/root -ef / ]] || return 1
  [[ /proc/$1/cwd -ef ${CONF[datadir]} ]] && return 0
  [[ ! -e /proc/$1/cwd/ibdata1 && ! -e /proc/$1/cwd/aria_log_control ]] && ! names_other_data "$1"
}

# names_other_data PID [GROUP…]: whether its arguments, or else the files that it reads by them (with these groups, beside those of a server), name another data
# directory than ours, and never ours. Of groups, any place counts: which of them wins is up to the release. What cannot be told may be ours.
names_other_data() {
  local argument data
  local -a options=() named=()
  while IFS= read -rd '' argument; do
    case $argument in
      --datadir=* | --data=*) named+=("${argument#*=}") ;;
      --no-defaults | --defaults-file=* | --defaults-extra-file=* | --defaults-group-suffix=*) options+=("$argument") ;;
    esac
  done <"/proc/$1/cmdline"
  if ((${#named[@]} == 0)); then
    while IFS= read -r argument; do
      [[ $argument != @(--datadir|--data)=* ]] || named+=("${argument#*=}")
    done < <(timeout 1 my_print_defaults "${options[@]}" --mysqld "${@:2}")
  fi
  for data in "${named[@]}"; do
    [[ $data == /* && ${data%/} != "${CONF[datadir]%/}" && ! $data -ef ${CONF[datadir]} ]] || return 1
  done
  ((${#named[@]} > 0))
} 2>/dev/null

# Of a supervisor, the server that it started says whose it is; while there is none of which that can be told, what it was told. Whatever may start our server
# again is ours to end.
is_our_supervisor() {
  local server
  [[ /proc/$1/root -ef / ]] || ! shows_root "$1" || return 1
  for server in "${known[@]}"; do
    ! descends "$server" "$1" || return 0
  done
  for server in "${STRANGERS[@]}"; do
    ! descends "$server" "$1" || return 1
  done
  ! names_other_data "$1" mysqld_safe safe_mysqld mariadb_safe mariadbd-safe
}

# descends PID FROM: there may be a shell of a pipeline between them.
descends() {
  local pid=$1 stat
  local -a field
  while { IFS= read -r stat <"/proc/$pid/stat"; } 2>/dev/null; do
    read -ra field <<<"${stat##*) }"
    pid=${field[1]}
    [[ $pid != "$2" ]] || return 0
  done
  return 1
}

# An init script asks the server's program for its settings while it waits, and so does an audit: that process serves nobody, and ends by itself.
only_prints() {
  local argument
  while IFS= read -rd '' argument; do
    [[ $argument != @(--print-defaults|--help|--version) ]] || return 0
  done <"/proc/$1/cmdline"
  return 1
} 2>/dev/null

# Sets MYSQLD, SUPERVISORS, KEEPALIVED: lists of process IDs; and STRANGERS, servers of which it was seen that they are not ours. A dead one is nobody's: its
# supervisor is about to start the next. One that is ending may still write, and may be ours: it counts as ours, and says nothing of its supervisor.
scan_processes() {
  local folder name pid
  local -a supervisors=() known=()
  MYSQLD=() STRANGERS=() SUPERVISORS=() KEEPALIVED=()
  for folder in /proc/[1-9]*; do
    read -r name <"$folder/comm" || continue
    pid=${folder#/proc/}
    case $name in
      mariadbd | mysqld)
        if is_our_database "$pid"; then
          only_prints "$pid" || known+=("$pid") MYSQLD+=("$pid")
        elif shows_root "$pid"; then
          STRANGERS+=("$pid")
        elif ! is_zombie "$pid"; then
          MYSQLD+=("$pid")
        fi ;;
      mariadbd-safe | mysqld_safe) supervisors+=("$pid") ;;
      keepalived) [[ $folder/root -ef / ]] && ! is_zombie "$pid" && KEEPALIVED+=("$pid") ;;
    esac
  done 2>/dev/null
  for pid in "${supervisors[@]}"; do
    ! is_our_supervisor "$pid" || is_zombie "$pid" || SUPERVISORS+=("$pid")
  done
}

mysqld_runs() {
  scan_processes
  ((${#MYSQLD[@]} > 0))
}

mysqld_gone() {
  ! mysqld_runs
}

# For what refuses for good: a process that only seems to be the server is about to end. An init script's question shows no arguments any more while it ends.
mysqld_gone_soon() {
  POLL=0.03 within 2000 mysqld_gone
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
  [[ -e $RUN/port-rule || -e $STATE/fenced ]] && nft list chain inet standfast output 2>/dev/null | grep "sport ${CONF[port]} .*drop" >/dev/null
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
  local ticks
  say mysqld "$1"
  say pid "${MYSQLD[0]-}"
  [[ $1 == running ]] || { say started ''; return 0; }
  read_boot_time
  process_start "${MYSQLD[0]}" && ticks=$START
  say started "$((BOOT_TIME + ${ticks:-0} / 100))"
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
