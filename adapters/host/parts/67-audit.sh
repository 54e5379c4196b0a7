# --- what an audit asks of a host: its machine, its files, and how far the others are. Nothing here changes anything ---

verb_audit_host() {
  local key value memory='' cpus=0 program='' keepalived=stopped
  IFS= read -r value </etc/machine-id && say machine "$value" || say machine ''
  read_boot_time
  say boot_seconds "$BOOT_TIME"
  while read -r key value _; do
    [[ $key != MemTotal: ]] || memory=$value
  done </proc/meminfo
  while read -r key _; do
    [[ $key != processor ]] || cpus=$((cpus + 1))
  done </proc/cpuinfo
  say memory_kb "$memory"
  say cpus "$cpus"
  [[ ! -v ARG[interface] ]] || say_link_speed "${ARG[interface]}"
  scan_processes
  ((${#MYSQLD[@]} == 0)) || read -r program <"/proc/${MYSQLD[0]}/comm" || program=''
  ((${#KEEPALIVED[@]} == 0)) || keepalived=running
  say server_program "$program"
  say keepalived "$keepalived"
  say_addresses
  say_access
  say_modes
}

# Mbit/s. A virtual card that has none says -1, or cannot be read.
say_link_speed() {
  local speed=''
  [[ ! -r /sys/class/net/$1/speed ]] || read -r speed <"/sys/class/net/$1/speed" || speed=''
  [[ $speed =~ ^[1-9][0-9]*$ ]] || speed=''
  say link_mbits "$speed"
} 2>/dev/null

# What the account may run as root, the keys that let it in without a restriction, and how sshd lets others in.
say_access() {
  local line listed=no rules='' keys='' unrestricted=0 logins='' home
  while IFS= read -r line; do
    if [[ $line == *'may run the following commands'* ]]; then
      listed=yes
    elif [[ $listed == yes && $line == *[![:space:]]* ]]; then
      line=${line#"${line%%[![:space:]]*}"}
      rules+="${rules:+$'\n'}$line"
    fi
  done < <(timeout 5 sudo -n -l -U "${CONF[account]}" 2>/dev/null)
  say sudo "$rules"
  home=$(getent passwd "${CONF[account]}") && IFS=: read -r _ _ _ _ _ home _ <<<"$home" && keys=$home/.ssh/authorized_keys
  if [[ -r $keys ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      [[ -z $line || $line == '#'* || $line == restrict* || $line == *' standfast-job-'* ]] || unrestricted=$((unrestricted + 1))
    done <"$keys"
    say unrestricted_keys "$unrestricted"
  else
    say unrestricted_keys ''
  fi
  while read -r line; do
    case $line in
      'passwordauthentication '* | 'permitrootlogin '* | 'permitemptypasswords '*) logins+="${logins:+,}${line/ /=}" ;;
    esac
  done < <(timeout 5 sshd -T 2>/dev/null)
  say sshd "$logins"
}

# "MODE OWNER PATH", a line for each file that holds a secret, or is trusted with root.
say_modes() {
  local file modes=''
  for file in "$STATE" "$INSTALLED" /etc/sudoers.d/standfast "$SETTINGS" "$KEEPALIVED_CONF" "${CONF[datadir]}" "${CONF[datadir]}"/*master*.info \
    /etc/mysql/debian.cnf /etc/ssh/ssh_host_*_key; do
    [[ -e $file ]] || continue
    modes+="${modes:+$'\n'}$(stat -L -c '%a %U %n' "$file")"
  done
  say modes "$modes"
}

# The values that a server started now would have, as its own program works them out of its files; beside them the lines of those files that name a filter,
# which the program does not list, and what it does not accept in them. Only what is asked for: a file may hold more than an audit should see.
verb_audit_settings() {
  local program line name values='' filters='' errors='' listed=no
  for program in mariadbd mysqld; do
    command -v "$program" >/dev/null && break
    program=''
  done
  [[ -n $program ]] || refuse Unsafe "no database server is installed on $HOSTNAME: there is neither mariadbd nor mysqld"
  while IFS= read -r line; do
    [[ $line != ----* ]] || { listed=yes; continue; }
    [[ $line != *' [ERROR] '* ]] || errors+="${errors:+$'\n'}${line#*' [ERROR] '}"
    [[ $listed == yes && $line == *' '* ]] || continue
    name=${line%% *}
    name=${name//-/_}
    [[ ",${ARG[names]}," == *",$name,"* ]] || continue
    line=${line#* }
    values+="${values:+$'\n'}$name=${line#"${line%%[![:space:]]*}"}"
  done < <(timeout 8 "$program" --user=mysql --verbose --help 2>&1)
  [[ -n $values ]] || refuse Unverified "$program on $HOSTNAME does not say what its settings would be; run \"$program --verbose --help\" there"
  while IFS= read -r line; do
    name=${line%%=*}
    name=${name//-/_}
    [[ $name != __@(binlog|replicate)_* || $name != *@(do_db|ignore_db|do_table|ignore_table|rewrite_db) || $line != *=* ]] ||
      filters+="${filters:+$'\n'}${name#__}=${line#*=}"
  done < <(my_print_defaults --mysqld)
  say values "$values"
  say filters "$filters"
  say errors "$errors"
}

# Every file under keepalived's folder, by its path; an include of another place is for the reader to notice.
verb_audit_keepalived() {
  local file text bytes=0
  while IFS= read -rd '' file; do
    text=$(<"$file") || refuse Unverified "$file on $HOSTNAME cannot be read"
    bytes=$((bytes + ${#text}))
    ((bytes <= 262144)) || refuse Unsafe "the files under ${KEEPALIVED_CONF%/*} on $HOSTNAME are larger than 256 kB; they were not read"
    [[ $file == *[=[:cntrl:]]* ]] || say "$file" "$text"
  done < <(find "${KEEPALIVED_CONF%/*}" -maxdepth 3 -type f ! -name '*.sample' -print0 2>/dev/null)
}

# Twenty answers of the other host's kernel to a connection, each in microseconds: it accepts or refuses one, and either takes one round trip. What bash needs
# for it is not subtracted. The port should be one where nobody listens: a server counts whoever comes and says nothing. A firewall that drops
# such packets gives no answer; then ping is asked.
# shellcheck disable=SC2016 # the values are for the inner shell
verb_round_trip() {
  local line answered=no by=tcp samples=''
  while IFS= read -r line; do
    case $line in
      *'Connection refused' | accepted) answered=yes ;;
      'took '*) [[ $answered == no ]] || samples+="${samples:+,}${line#took }"; answered=no ;;
    esac
  done < <(timeout 3 bash -c 'for ((i = 0; i < 20; i++)); do
      at=${EPOCHREALTIME/[.,]/}
      if : 3<>"/dev/tcp/$1/$2"; then echo accepted; fi
      echo "took $((${EPOCHREALTIME/[.,]/} - at))"
    done' probe "${ARG[address]}" "${ARG[target_port]}" 2>&1)
  if [[ -z $samples ]] && command -v ping >/dev/null; then
    by=icmp
    while IFS= read -r line; do
      [[ $line =~ time=([0-9]+)(\.([0-9]{1,3}))?\ ms ]] || continue
      line=${BASH_REMATCH[3]}000
      samples+="${samples:+,}$((10#${BASH_REMATCH[1]} * 1000 + 10#${line:0:3}))"
    done < <(timeout 6 ping -n -c 20 -i 0.05 -W 1 "${ARG[address]}" 2>/dev/null)
  fi
  [[ -n $samples ]] || refuse Unverified "${ARG[address]} does not answer $HOSTNAME: port ${ARG[target_port]} neither accepts nor refuses, and no ping came back"
  say by "$by"
  say samples "$samples"
}

# The newest file at or under a path: when it was last written (Unix s), and how large it is.
verb_backup_age() {
  local newest='' bytes='' file='' path=${ARG[backup]}
  [[ -e $path ]] || { say newest ''; say bytes ''; say file ''; return 0; }
  newest=$(find -H "$path" -maxdepth 3 -type f -printf '%T@ %s %f\n' 2>/dev/null | sort -rn | head -n 1)
  IFS=' ' read -r newest bytes file <<<"$newest"
  say newest "${newest%%.*}"
  say bytes "$bytes"
  say file "$file"
}
