# --- one order at a time, and a newer claim ends an older order ---

# process_start PID: sets START (clock ticks since boot), which tells a process from a later one with the same number.
process_start() {
  local stat
  local -a field
  START=''
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra field <<<"${stat##*) }"
  START=${field[19]}
}

# A group is known by its leader's number and start; a zombie still counts, its kill is harmless.
note_group() {
  process_start "$BASHPID"
  printf '%s %s %s\n' "$BASHPID" "$START" "$VERB" >"$1"
}

# group_alive FILE: sets GROUP and GROUP_VERB; yes while the leader that was noted lives.
group_alive() {
  local start
  GROUP='' GROUP_VERB=''
  [[ -e $1 ]] || return 1
  # Empty only in the instant in which it is being written.
  { read -r GROUP start GROUP_VERB <"$1" || { pause 0.01; read -r GROUP start GROUP_VERB <"$1"; }; } 2>/dev/null || return 1
  process_start "$GROUP" && [[ $START == "$start" ]] && ! is_zombie "$GROUP"
}

end_group() {
  group_alive "$1" || return 0
  kill -KILL -- "-$GROUP" 2>/dev/null
  within 2000 group_gone "$1"
}

group_gone() {
  ! group_alive "$1"
}

# take_lock SECONDS: everything started from here on inherits the lock; daemons are started through "detached" or "as_daemon", which close it.
take_lock() {
  exec {LOCK}>"$RUN/lock"
  flock -w "$1" "$LOCK" || return 1
  note_group "$RUN/holder"
}

# The epoch is looked at again before the kill: an operation that is itself too old may not end a newer one's order.
take_lock_by_force() {
  local end
  now
  end=$((NOW + 5000000))
  until take_lock 0.2; do
    exec {LOCK}>&-
    load_records
    check_claim
    end_group "$RUN/holder"
    now
    if ((NOW > end)); then
      refuse Unverified "the lock of $HOSTNAME is held and its holder could not be ended; the claim was not stored"
    fi
  done
}

# as_daemon COMMAND…: outlives this order and its process group, and never holds the lock. Sets DAEMON (its process group).
as_daemon() {
  (umask 022 && exec setsid "$@" {LOCK}>&- {PAUSE}>&-) </dev/null >>"$RUN/daemon.log" 2>&1 &
  DAEMON=$!
}
