#!/bin/bash
# standfast-host: the one program that Standfast runs as root on a host.
# The installed file is adapters/host/parts/*.sh joined in name order. The protocol is in docs/host-helper.md.
# Every verb is a function verb_NAME. Verbs that look never change anything; orders run in a process group of their own.
# shellcheck disable=SC2015 # "A && B || refuse" is meant: refuse whichever of them failed.
set -uo pipefail
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 077

readonly INSTALLED=/usr/local/sbin/standfast-host
readonly STATE=/var/lib/standfast
readonly JOBS=$STATE/jobs
readonly RUN=/run/standfast
readonly ROLE_FILE=/run/vip-role
readonly KEEPALIVED_CONF=/etc/keepalived/keepalived.conf
readonly SETTINGS=/etc/standfast/host.conf
# Raised when a verb learns an argument, or an answer a word, that somebody may rely on: 2 since claims answer with the records, 3 since keep-relay is told of
# a source that is gone, 4 since fence says where the binary log ends.
readonly LEVEL=4
# Exit status of a process that has already answered "fail"; any other one has no answer yet.
readonly ANSWERED=3

declare -A CONF=(
  [unit]=mariadb
  [port]=3306
  [socket]=/run/mysqld/mysqld.sock
  [datadir]=/var/lib/mysql
  [dropin]=/etc/mysql/mariadb.conf.d/zz-standfast.cnf
  [account]=standfast
)

# A line that is not understood stops the helper: guessing where the data is would be worse than not answering.
load_settings() {
  local line key
  [[ -e $SETTINGS ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -z $line || $line == '#'* ]] && continue
    key=${line%%=*}
    if [[ $line != *=* || ! -v CONF[$key] ]]; then
      printf 'standfast-host: %s: cannot use the line "%s"; allowed keys: %s\n' "$SETTINGS" "$line" "${!CONF[*]}" >&2
      exit 1
    fi
    CONF[$key]=${line#*=}
  done <"$SETTINGS"
}

# A named pipe that nobody writes to: reading it with a timeout is a pause without a process.
prepare_run_folder() {
  [[ -d $RUN && -d $JOBS && -d $STATE/new ]] || mkdir -p "$RUN" "$JOBS" "$STATE/new"
  [[ -p $RUN/pause ]] || mkfifo -m 0600 "$RUN/pause" 2>/dev/null || [[ -p $RUN/pause ]] || return 1
  exec {PAUSE}<>"$RUN/pause"
  choose_logs
}

# Where programs complain, unless that cannot be opened: a full /run keeps nothing from being done.
choose_logs() {
  ERRORS=$RUN/daemon.log SQL_ERRORS=$RUN/sql.log
  { : >>"$ERRORS"; } 2>/dev/null || ERRORS=/dev/null
  { : >>"$SQL_ERRORS"; } 2>/dev/null || SQL_ERRORS=/dev/null
}

# pause SECONDS: the read always ends by its timeout, so its status says nothing.
pause() {
  read -rt "$1" -u "$PAUSE" _
  return 0
}

# Microseconds of the wall clock, which may be set at any moment: for people, and for the time in answers.
now() {
  NOW=${EPOCHREALTIME/[.,]/}
}

# Sets UPTIME, in hundredths of a second, for whatever is waited for. Nobody sets this clock. It costs 20 us.
read_uptime() {
  read -r UPTIME _ </proc/uptime
  UPTIME=$((10#${UPTIME/./}))
}

# Sets BOOT_TIME, when the kernel was started, in whole seconds of the wall clock as it goes now.
read_boot_time() {
  local key value
  while read -r key value; do
    [[ $key != btime ]] || { BOOT_TIME=$value; return; }
  done </proc/stat
}

# within MILLISECONDS COMMAND…: asks COMMAND again and again until it says yes; no at the deadline.
# POLL=SECONDS before it sets the pause between two questions.
within() {
  local end
  read_uptime
  end=$((UPTIME + ($1 + 9) / 10))
  shift
  until "$@"; do
    read_uptime
    ((UPTIME <= end)) || return 1
    pause "${POLL:-0.005}"
  done
}
