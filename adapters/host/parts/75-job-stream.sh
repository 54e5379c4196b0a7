# --- the stream: donor sends, target receives; every status is looked at ---

verb_job_send() {
  set_job "${ARG[job]}"
  read_state
  if [[ $JOB_STATE == absent ]]; then
    [[ -s $JOB_DIR/key ]] || refuse BadInput "job-send: the job $JOB has no key on $HOSTNAME; ask job-key first"
    mysqld_runs || refuse Unsafe "mysqld does not run on $HOSTNAME; there is nothing to copy from"
    printf '%s\n' "${ARG[known_hosts]}" >"$JOB_DIR/known_hosts"
    printf '%s %s %s\n' "${ARG[user]}" "${ARG[target]}" "${ARG[target_port]:-22}" >"$JOB_DIR/target"
    start_job send
  fi
  say_job
}

# Our own dd counts, so that the number does not depend on what the ends say.
counted() {
  printf '%s\n' "$BASHPID" >"$JOB_DIR/dd.pid"
  exec dd bs=1M iflag=fullblock 2>"$JOB_DIR/dd.log"
}

take_backup() {
  exec mariadb-backup --backup --stream=mbstream --user=root --socket="${CONF[socket]}" --datadir="${CONF[datadir]}" \
    --target-dir="$JOB_DIR/backup" --parallel=2 --ftwrl-wait-timeout=60 2>"$JOB_DIR/backup.log"
}

# The command is ignored by the target: its key is tied to job-receive of this job.
ssh_to_target() {
  local user target port
  read -r user target port <"$JOB_DIR/target"
  exec ssh -F /dev/null -T -p "$port" -i "$JOB_DIR/key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="$JOB_DIR/known_hosts" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -c aes128-gcm@openssh.com "$user@$target" receive >"$JOB_DIR/ssh.log" 2>&1
}

run_send() {
  local -a status
  mkdir -p "$JOB_DIR/backup"
  (take_backup) | (counted) | (ssh_to_target)
  status=("${PIPESTATUS[@]}")
  if [[ ${status[*]} == '0 0 0' ]] && tail -n 1 "$JOB_DIR/backup.log" | grep 'completed OK!' >/dev/null; then
    set_state 'done' send "backup:0,count:0,ssh:0"
    return 0
  fi
  { tail -n 3 "$JOB_DIR/backup.log"; tail -n 3 "$JOB_DIR/ssh.log"; } >"$JOB_DIR/log" 2>&1
  set_state failed send "backup:${status[0]},count:${status[1]},ssh:${status[2]}"
}

# The forced command of the job's key. One stream per job: a second one would be mixed into the first.
verb_job_receive() {
  [[ $ID == - ]] || refuse BadInput 'job-receive takes its stream from standard input; it is not for a channel'
  set_job "${ARG[job]}"
  # In the job's own folder, with which it goes: one that begins as the job is cleaned leaves nothing.
  ! { exec {ONE_STREAM}>"$JOB_DIR/receive.lock"; } 2>>"$ERRORS" || flock -n "$ONE_STREAM" || refuse Unsafe "the job $JOB is already receiving on $HOSTNAME"
  read_state
  [[ "$JOB_STATE $JOB_STEP" == 'done open' ]] ||
    refuse Unsafe "the job $JOB on $HOSTNAME does not wait for a stream (it is ${JOB_STEP:-not open}, $JOB_STATE); clean it and begin again"
  note_group "$JOB_DIR/group"
  set_state running receive
  receive_stream || refuse Unverified "the stream of the job $JOB did not arrive whole on $HOSTNAME: $JOB_EXIT"
  say bytes "$BYTES"
}

receive_stream() {
  local -a status
  (counted) | mbstream -x -C "$STAGING" 2>"$JOB_DIR/log"
  status=("${PIPESTATUS[@]}")
  JOB_EXIT="count:${status[0]},unpack:${status[1]}"
  job_bytes
  if [[ ${status[*]} == '0 0' ]] && ((BYTES > 0)); then
    set_state 'done' receive "$JOB_EXIT"
    return 0
  fi
  set_state failed receive "$JOB_EXIT"
  return 1
}
