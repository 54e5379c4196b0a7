#!/bin/bash
# The lab's power switch: `power off|status HOST`. Prints `off` or `on`; exit 0 of `off` means that the host is really off.
# It is the product's powerOff hook and what lab/machine.ts itself uses. LAB is the lab's folder, NAME its name.
set -u
verb=${1:-} host=${2:-}
case "$host" in '' | *[!a-z0-9]*) echo "usage: power off|status HOST" >&2; exit 2 ;; esac
state=$LAB/run/$host
[ -d "$LAB/hosts/$host" ] || { echo "power: no host $host in lab $NAME" >&2; exit 2; }

# A recorded process is alive only if its start time is the recorded one: process IDs come round again.
started() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<< "${line##*) }"
  [ "${fields[0]}" != Z ] && echo "${fields[19]}"
}
alive() { [ -n "$2" ] && [ "$(started "$2")" = "$3" ]; }
is_on() {
  local role pid start
  [ -f "$state" ] || return 1
  while read -r role pid start; do alive "$role" "$pid" "$start" && return 0; done < "$state"
  return 1
}

off() {
  local role pid start tries
  if [ -f "$state" ]; then
    while read -r role pid start; do alive "$role" "$pid" "$start" && kill -KILL "$pid" 2>/dev/null; done < "$state"
  fi
  for ((tries = 0; tries < 5000; tries++)); do
    is_on || break
    sleep 0.002
  done
  if is_on; then echo "power: $host is still on" >&2; return 1; fi
  # The kernel would go on answering for the addresses of a host without processes: its cable is out before it counts as off.
  # The namespace with its addresses and rules goes at the next power-on; deleting it takes ten times as long.
  if [ -e "/run/netns/$NAME-switch" ] && ip -n "$NAME-switch" link show "$host" >/dev/null 2>&1; then
    ip -n "$NAME-switch" link set "$host" down || return 1
  fi
  rm -f "$state"
  echo off
}

case "$verb" in
  off) off ;;
  status) if is_on; then echo on; else echo off; fi ;;
  *) echo "usage: power off|status HOST" >&2; exit 2 ;;
esac
