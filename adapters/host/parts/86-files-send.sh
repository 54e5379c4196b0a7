# --- the source of a fileset: a dry run that tells what would change, then the run that does no more than that ---

verb_files_send() {
  local key
  set_job "${ARG[job]}"
  [[ -s $JOB_DIR/key ]] || refuse BadInput "files-send: the job $JOB has no key on $HOSTNAME; ask job-key first"
  end_group "$JOB_DIR/group" || refuse Unverified "files-send: an earlier run of $JOB could not be ended on $HOSTNAME"
  # What an earlier run ended with must not be taken for the end of this one.
  rm -f "$JOB_DIR"/{state,summary,sent} || refuse Unverified "files-send: what an earlier run of $JOB left cannot be removed on $HOSTNAME"
  store_fileset run name source cluster fileset path marker max deletes stamp bandwidth compress
  look_at_folder source || return 1
  refuse_fault
  [[ ${ARG[deletes]} == look ]] || ensure_identity
  [[ -e $FILES/${F[fileset]} || ${ARG[deletes]} == look ]] || remember '- -'
  printf '%s\n' "${ARG[known_hosts]}" >"$JOB_DIR/known_hosts"
  write_ssh_config
  rm -f "$JOB_DIR/log"
  case ${ARG[deletes]} in
    look | count) start_job count ;;
    *) start_job push ;;
  esac
  say_files
}

# All that ssh is told, in a file: nothing of it goes through a command line.
write_ssh_config() {
  local -a line=(
    'Host target' "HostName ${ARG[target]}" "Port ${ARG[target_port]:-22}" "User ${ARG[user]}" "IdentityFile $JOB_DIR/key" 'IdentitiesOnly yes' 'BatchMode yes'
    'StrictHostKeyChecking yes' "UserKnownHostsFile $JOB_DIR/known_hosts" 'GlobalKnownHostsFile /dev/null' 'ConnectTimeout 10' 'ServerAliveInterval 5'
    'ServerAliveCountMax 3' 'Ciphers aes128-gcm@openssh.com' 'LogLevel ERROR'
  )
  printf '%s\n' "${line[@]}" >"$JOB_DIR/ssh_config"
}

# rsync_to_target OPTION…: from the working directory. By whole seconds it would take a file for the same that was written again in the second in which it was sent. Without --8-bit-output it writes whatever is not printable ASCII as \#ooo: one line is one name.
rsync_to_target() {
  local -a option=(
    -aHAXS --numeric-ids --modify-window=-1 --timeout=120 --no-human-readable --stats '--out-format=%i %n'
    "--exclude=/$IDENTITY" "--exclude=/$SET_ASIDE/" "--exclude=/$UNFINISHED/" '--exclude=/lost+found/'
  )
  ((F[bandwidth] == 0)) || option+=("--bwlimit=${F[bandwidth]}")
  [[ ${F[compress]} == no ]] || option+=(-z)
  rsync "${option[@]}" "$@" -e "ssh -F $JOB_DIR/ssh_config" ./ target:./
}

# run_rsync STEP OUTPUT OPTION…
run_rsync() {
  local code=0
  read_fileset && look_at_folder source || { set_state failed "$1" records; return 1; }
  [[ -z $FAULT ]] || { set_state failed "$1" "fault:$FAULT"; printf '%s\n' "$DETAIL" >"$JOB_DIR/log"; return 1; }
  rsync_to_target "${@:3}" >"$2" 2>"$JOB_DIR/log" || code=$?
  sum_files "$2" >"$JOB_DIR/summary"
  if ((code == 0)); then set_state 'done' "$1" 0; else set_state failed "$1" "$code"; fi
}

run_count() {
  run_rsync count "$JOB_DIR/list" --dry-run --delete
}

run_push() {
  local -a option=("--temp-dir=$UNFINISHED")
  read_fileset
  case ${F[deletes]} in
    none) ;;
    listed)
      write_rules || { set_state failed push rules; return 1; }
      option+=(--delete "--max-delete=${F[max]}" --from0 "--filter=merge $JOB_DIR/rules") ;;
    aside) option+=(--delete --backup "--backup-dir=$SET_ASIDE/${F[stamp]}") ;;
  esac
  run_rsync push "$JOB_DIR/sent" "${option[@]}"
}

# What the dry run listed may be deleted ("R"), and nothing else ("P"): whatever vanishes from the source between the two is left for the next run to count.
# In a rule with a wildcard a backslash quotes; in one without it stands for itself.
write_rules() {
  local line name
  while IFS= read -r line; do
    [[ $line == '*deleting  '* ]] || continue
    unescape name "${line:12}"
    if [[ $name == *[\*\?\[]* ]]; then
      name=${name//\\/\\\\}
      name=${name//\*/\\\*}
      name=${name//\?/\\\?}
      name=${name//\[/\\\[}
    fi
    printf 'R /%s\0' "$name"
  done <"$JOB_DIR/list" >"$JOB_DIR/rules" && printf 'P *\0' >>"$JOB_DIR/rules"
}

# unescape NAME TEXT: sets NAME; rsync writes a byte that is not printable, and the backslash before what looks like one, as \#ooo.
unescape() {
  local -n plain=$1
  local rest=$2 byte
  plain=''
  while [[ $rest =~ \\#([0-7]{3}) ]]; do
    printf -v byte '%b' "\\0${BASH_REMATCH[1]}"
    plain+=${rest%%"${BASH_REMATCH[0]}"*}$byte
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  plain+=$rest
}

# Entries by what happens to them, and bytes.
sum_files() {
  awk '
    /^\*deleting  / { n["deleted"]++; next }
    /^<f\+/ { n["created"]++; next }
    /^<f/ { n["updated"]++; next }
    /^[ch][dLDSf]\+/ { n["created"]++; next }
    /^[c.h][dLDSf]/ { n["touched"]++; next }
    /^Total transferred file size: / { n["bytes"] = $5 }
    /^Number of files: / { n["entries"] = $4; sub(/,/, "", n["entries"]) }
    END { split("deleted created updated touched bytes entries", key, " "); for (i = 1; i <= 6; i++) printf "%s=%d\n", key[i], n[key[i]] }
  ' "$1"
}

say_files() {
  local line
  read_fileset || true
  read_state
  say state "$JOB_STATE"
  say step "$JOB_STEP"
  say exit "$JOB_EXIT"
  say run "${F[run]-}"
  say stamp "${F[stamp]-}"
  say deletes "${F[deletes]-}"
  [[ $JOB_STATE == running || ! -e $JOB_DIR/summary ]] || while IFS= read -r line; do
    say "${line%%=*}" "${line#*=}"
  done <"$JOB_DIR/summary"
  say log "$(tail -c 2048 "$JOB_DIR/log" 2>/dev/null)"
}

verb_files_status() {
  set_job "${ARG[job]}"
  say_files
}

# The first so many lines of a kind: deletions, or everything else, of the dry run or of what was sent.
verb_files_list() {
  local lines
  set_job "${ARG[job]}"
  [[ -e $JOB_DIR/${ARG[of]} ]] || refuse BadInput "files-list: the job $JOB has no ${ARG[of]} on $HOSTNAME"
  case ${ARG[kind]} in
    deletions) lines=$(grep -m "${ARG[most]}" '^\*deleting  ' "$JOB_DIR/${ARG[of]}") ;;
    changes) lines=$(grep -m "${ARG[most]}" -E '^[<ch.][fdLDS].{9} ' "$JOB_DIR/${ARG[of]}") ;;
  esac
  (($? < 2)) || refuse Unverified "files-list: $JOB_DIR/${ARG[of]} on $HOSTNAME cannot be read"
  say lines "$lines"
}
