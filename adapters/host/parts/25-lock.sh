# --- one order at a time, and a newer claim ends an older order ---

# Orders of a fileset touch a disk that may be slow, or hang, and is not the database's: they wait for one another, and nobody else waits for them.
# Which way files go does not rest on the lock: whoever sends or receives looks at the records once more when it has noted itself.
LOCKED='' # the host's own
choose_lock() {
  [[ $1 != @(attempt|job) || ${ARG[job]-} != files.* ]] || LOCKED=.${ARG[job]%.*}
}

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
# Written over what is there, at once: a reader never finds the file empty, and takes the first line only. Whatever it executes from here on carries the mark.
note_group() {
  process_start "$BASHPID"
  export STANDFAST_GROUP="$BASHPID $START"
  printf '%s %s %s %s\n' "$BASHPID" "$START" "$VERB" "${ARG[job]-}" 1<>"$1"
}

# group_alive FILE: sets GROUP, GROUP_START, GROUP_VERB and GROUP_JOB; yes while the leader that was noted lives.
group_alive() {
  GROUP='' GROUP_START='' GROUP_VERB='' GROUP_JOB=''
  [[ -e $1 ]] || return 1
  { read -r GROUP GROUP_START GROUP_VERB GROUP_JOB <"$1"; } 2>/dev/null || return 1
  process_start "$GROUP" && [[ $START == "$GROUP_START" ]] && ! is_zombie "$GROUP"
}

end_group() {
  within 2000 group_gone "$1"
}

# outlives_leader: whether something of the group that was read last lives on, though its leader was killed. By the mark: the number may be another group's since.
outlives_leader() {
  local folder stat word
  [[ -n $GROUP ]] && kill -0 -- "-$GROUP" 2>/dev/null || return 1
  for folder in /proc/[1-9]*; do
    { IFS= read -r stat <"$folder/stat"; } 2>/dev/null || continue
    [[ ${stat##*) } == [!ZX]' '+([0-9])" $GROUP "* ]] || continue
    while IFS= read -rd '' word; do
      [[ $word != "STANDFAST_GROUP=$GROUP $GROUP_START" ]] || return 0
    done <"$folder/environ"
  done 2>/dev/null
  return 1
}

# Again and again: a daemon that has just noted itself does not lead its group yet.
group_gone() {
  group_alive "$1" || outlives_leader || return 0
  kill -KILL -- "-$GROUP" 2>/dev/null
  return 1
}

# take_lock SECONDS: everything started from here on inherits the lock; daemons are started through "as_daemon" or "as_noted_daemon", which close it.
take_lock() {
  exec {LOCK}>"$RUN/lock$LOCKED"
  flock -w "$1" "$LOCK" || return 1
  note_group "$RUN/holder$LOCKED"
}

# In a process of its own that must not keep the lock when the order ends before it.
close_lock() {
  [[ ! -v LOCK ]] || exec {LOCK}>&-
  exec {PAUSE}>&-
}

# take_lock_by_force MAY_END: MAY_END is asked again before every kill. An operation that is itself too old may not end a newer one's order,
# and an attempt at a job only ends orders of that job.
take_lock_by_force() {
  local end noted
  read_uptime
  end=$((UPTIME + 500))
  until take_lock 0.2; do
    exec {LOCK}>&-
    group_alive "$RUN/holder$LOCKED" || true
    noted="$GROUP $GROUP_START"
    ! "$1" || within 2000 holder_gone "$noted"
    read_uptime
    ((UPTIME <= end)) || refuse_busy
  done
}

# holder_gone "NUMBER START": ends that one. Whoever has the lock after it notes itself in the same file, and is another matter.
holder_gone() {
  group_alive "$RUN/holder$LOCKED" || outlives_leader || return 0
  [[ "$GROUP $GROUP_START" == "$1" ]] || return 0
  kill -KILL -- "-$GROUP" 2>/dev/null
  return 1
}

holder_is_older() {
  load_records
  check_claim
}

holder_is_of_this_job() {
  group_alive "$RUN/holder$LOCKED" && [[ $GROUP_JOB == "${ARG[job]}" ]]
}

refuse_busy() {
  group_alive "$RUN/holder$LOCKED"
  refuse NotYet "another order (${GROUP_VERB:-unknown}) holds $HOSTNAME; $VERB was not carried out; ask again"
}

# as_daemon COMMAND…: outlives this order and its process group, and never holds the lock.
as_daemon() {
  become_daemon "$@" &
}

# as_noted_daemon FILE COMMAND…: it notes itself while it still belongs to this order's group: whoever ends the order ends it as well, or finds it noted.
as_noted_daemon() {
  local noted
  exec {noted}< <(note_group "$1" && echo && become_daemon "${@:2}")
  read -r <&"$noted"
  exec {noted}<&-
}

become_daemon() {
  umask 022
  exec setsid "$@" {LOCK}>&- {PAUSE}>&- </dev/null >>"$ERRORS" 2>&1
}
