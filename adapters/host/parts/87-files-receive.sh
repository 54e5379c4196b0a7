# --- the target of a fileset: who may send here is decided here, each time ---

# Answers `stamp`, the name of the folder in which this run sets aside what it replaces, and `settled`.
verb_files_open() {
  local public=${ARG[public]} settled=no
  set_job "${ARG[job]}"
  end_group "$JOB_DIR/incoming" || refuse Unverified "files-open: an earlier receiver of $JOB could not be ended on $HOSTNAME"
  store_fileset run name source cluster fileset path max diff
  look_at_folder target || return 1
  refuse_fault
  choose_stamp
  # Whoever is promoted from here on may let the folders part again: the end of this run is remembered for this line of promotions alone.
  ARG[lineage]=$LINEAGE
  store_fileset run name source cluster fileset path max diff stamp lineage
  [[ ${ARG[diff]} == yes ]] || keeping_time open_folder
  ! is_settled || settled=yes
  [[ $public =~ ^ssh-ed25519\ [^\ ]+ ]]
  # The account's shell is bash; "%" has to be written as the helper's arguments are.
  write_job_key_line "restrict,from=\"${ARG[from]}\",command=\"sudo -n $INSTALLED files-receive job=$JOB args=\\\"\${SSH_ORIGINAL_COMMAND//%/%25}\\\"\" ${BASH_REMATCH[0]} standfast-job-$JOB"
  say stamp "${F[stamp]}"
  say settled "$settled"
}

# A time, and a number when there is such a folder: rsync replaces a file that was set aside before under the same name.
choose_stamp() {
  local time number
  TZ=UTC printf -v time '%(%Y%m%dT%H%M%SZ)T' -1
  ARG[stamp]=$time
  for ((number = 2; ; number++)); do
    [[ -e ./$SET_ASIDE/${ARG[stamp]} ]] || return 0
    ARG[stamp]=$time-$number
  done
}

# keeping_time COMMAND: what is ours in the folder does not make the folder itself differ from the source's.
keeping_time() {
  local time
  time=$(stat -c %.Y .) && "$1" && touch -cmd "@$time" . || refuse Unverified "$VERB: the time of ${F[path]} on $HOSTNAME could not be kept"
}

open_folder() {
  ensure_identity
  [[ -e $FILES/${F[fileset]} ]] || remember '- -'
  ensure_own_folder "$UNFINISHED"
  find "./$UNFINISHED" -mindepth 1 -delete || refuse Unverified "files-open: what an earlier run left in ${F[path]}$UNFINISHED on $HOSTNAME could not be removed"
  is_settled || ensure_own_folder "$SET_ASIDE"
}

# ensure_own_folder NAME: root's alone, since what is in it is not for whoever may read the files.
ensure_own_folder() {
  [[ -d ./$1 || -L ./$1 ]] || mkdir -m 0700 "./$1" || refuse Unverified "cannot make ${F[path]}$1 on $HOSTNAME"
  [[ -d ./$1 && ! -L ./$1 && -O ./$1 ]] || refuse Unsafe "${F[path]}$1 on $HOSTNAME is not a folder of root's; no file was changed; remove it"
}

# The forced command of the job's key. What rsync reads and writes there is its protocol: a refusal goes beside it, into the log of the source.
# It notes itself before it looks: see end_files.
verb_files_receive() {
  [[ $ID == - ]] || refuse BadInput 'files-receive speaks with rsync over standard input; it is not for a channel'
  exec {WIRE}>&1 1>&2
  set_job "${ARG[job]}"
  read_fileset || refuse Unsafe "the job $JOB is not open on $HOSTNAME"
  exec {ONE_STREAM}>"$JOBS/.receive-files.${F[fileset]}.lock"
  flock -w 5 "$ONE_STREAM" || refuse Unsafe "${F[fileset]} is already being received on $HOSTNAME"
  note_group "$JOB_DIR/incoming"
  look_at_folder target || return 1
  refuse_fault
  check_rsync_arguments
  umask 022
  exec rsync "${OPTIONS[@]}" . ./ >&"$WIRE" {WIRE}>&-
}

refuse_rsync() {
  refuse Unsafe "files-receive on $HOSTNAME does not take \"${1:0:80}\"; no file was changed"
}

# Sets OPTIONS: those of our own rsync, and nothing that reads, follows links, or leads out of the folder. Deleting and replacing is bounded here as well:
# by the limit, or, in the first run after a change of direction, by keeping it all, in a folder in which nothing was set aside before.
check_rsync_arguments() {
  local at flags deletes=no limit='' keeps=no
  local -a word
  read -ra word <<<"${ARG[args]}"
  [[ "${word[0]-} ${word[1]-}" == 'rsync --server' && ${word[2]-} =~ ^-([vnblHogDtpAXrSz]+)e\.[A-Za-z]*$ ]] || refuse_rsync "${ARG[args]}"
  flags=${BASH_REMATCH[1]}
  [[ "${word[-2]} ${word[-1]}" == '. ./' ]] || refuse_rsync "${word[-1]}"
  OPTIONS=(--server "${word[2]}")
  for ((at = 3; at < ${#word[@]} - 2; at++)); do
    OPTIONS+=("${word[at]}")
    case ${word[at]} in
      -@-1 | --numeric-ids | --log-format=%i | --stats | --new-compress) ;;
      --delete | --delete-during) deletes=yes ;;
      --max-delete=* | --timeout=* | --bwlimit=*)
        [[ ${word[at]#*=} =~ $NUMBER ]] || refuse_rsync "${word[at]}"
        [[ ${word[at]} != --max-delete=* ]] || limit=${word[at]#*=} ;;
      --temp-dir | --backup-dir)
        at=$((at + 1))
        OPTIONS+=("${word[at]}")
        [[ ${word[at - 1]} != --temp-dir || ${word[at]} == "$UNFINISHED" ]] || refuse_rsync "${word[at]}"
        [[ ${word[at - 1]} != --backup-dir || ${word[at]} == "$SET_ASIDE/${F[stamp]}" ]] || refuse_rsync "${word[at]}"
        [[ ${word[at - 1]} != --backup-dir ]] || keeps=yes ;;
      *) refuse_rsync "${word[at]}" ;;
    esac
  done
  [[ $flags != *n* ]] || return 0
  [[ ${F[diff]} == no ]] || refuse_rsync 'a run that changes something, after a comparison was asked for'
  [[ $keeps == no || $flags == *b* ]] || refuse_rsync 'a folder for what is replaced, without keeping it'
  [[ $keeps == no || ! -e ./$SET_ASIDE/${F[stamp]} ]] || refuse_rsync 'a folder in which something was set aside before'
  [[ $keeps == yes ]] || is_settled || refuse_rsync 'a first run from this source that does not set aside what it replaces'
  [[ $deletes == no || $keeps == yes ]] || [[ -n $limit ]] && ((${limit:-0} <= F[max])) || refuse_rsync 'deleting without the limit'
}

# Nobody is let in any more. Target: what ended well is remembered with its direction.
verb_files_close() {
  set_job "${ARG[job]}"
  if read_fileset && [[ -v F[diff] ]]; then
    STORE=replace write_job_key_line
    end_group "$JOB_DIR/incoming" || refuse Unverified "files-close: the receiver of $JOB could not be ended on $HOSTNAME"
    [[ ${F[diff]} == yes ]] || end_run_in_folder
  else
    end_group "$JOB_DIR/group" || refuse Unverified "files-close: the sender of $JOB could not be ended on $HOSTNAME"
  fi
  rm -f "$JOB_DIR"/{key,key.pub,known_hosts,ssh_config} || refuse Unverified "files-close: the key of $JOB could not be removed on $HOSTNAME"
}

end_run_in_folder() {
  look_at_folder target || return 1
  refuse_fault
  keeping_time close_folder
  [[ ${ARG[well]} == no || ${F[lineage]-} != "$LINEAGE" ]] || remember "${F[source]} ${LINEAGE:--}"
}

close_folder() {
  [[ ! -d ./$SET_ASIDE || -L ./$SET_ASIDE ]] || rmdir --ignore-fail-on-non-empty "./$SET_ASIDE" || refuse Unverified "files-close: ${F[path]}$SET_ASIDE on $HOSTNAME cannot be looked into"
  [[ ! -d ./$UNFINISHED || -L ./$UNFINISHED ]] || rm -rf "./$UNFINISHED" || refuse Unverified "files-close: ${F[path]}$UNFINISHED on $HOSTNAME could not be removed"
}
