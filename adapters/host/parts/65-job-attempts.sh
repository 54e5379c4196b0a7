# --- attempts at the steps of a copy job: only the newest may act, and nobody after the job is over ---
# attempts/JOB is "N open", "N proven TABLES POSITION" or "N over". It stays after the job's folder has gone: whoever comes late must be known.

readonly ATTEMPTS=$STATE/attempts

# Sets ATTEMPT, PHASE, and PROOF when it is proven; no when the file cannot be read.
read_attempt() {
  local line
  ATTEMPT=0 PHASE=open PROOF=''
  [[ -e $ATTEMPTS/$1 ]] || return 0
  { IFS= read -r line <"$ATTEMPTS/$1"; } 2>/dev/null || return 1
  [[ $line =~ ^([0-9]+)\ (open|over|proven\ ([0-9]+\ [0-9,-]*))$ ]] || return 1
  ATTEMPT=${BASH_REMATCH[1]} PHASE=${BASH_REMATCH[2]%% *} PROOF=${BASH_REMATCH[3]}
}

# A damaged file must not look like a first attempt.
load_attempt() {
  read_attempt "$1" ||
    refuse Unsafe "$ATTEMPTS/$1 on $HOSTNAME is damaged; nothing was changed; a person can clean the job as root: standfast-host job-clean owner=$OWNER job=$1"
}

# store_attempt JOB "N PHASE…": folder and file are there after a power cut as well.
store_attempt() {
  mkdir -p "$ATTEMPTS" && store "$ATTEMPTS/$1" 0600 "$2"
}

# Whatever was damaged, an ended job stays ended.
end_attempts() {
  read_attempt "$1" || PHASE=damaged
  [[ $PHASE == over ]] || store_attempt "$1" "$ATTEMPT over"
}

check_attempt() {
  load_attempt "${ARG[job]}" || return 1
  [[ $ATTEMPT == "${ARG[attempt]}" && ($PHASE == open || "$PHASE $VERB" == 'proven job-prove') ]] && return 0
  refuse Stale "$VERB of the job ${ARG[job]} came with attempt ${ARG[attempt]}, and $HOSTNAME is at attempt $ATTEMPT ($PHASE); nothing was changed by it"
}

# A killed session of an older attempt cannot send the statement that its worker had ready when it was stopped.
verb_job_claim() {
  load_attempt "${ARG[job]}"
  [[ $PHASE == open ]] || refuse Stale "the job ${ARG[job]} on $HOSTNAME is $PHASE; no attempt may change anything for it any more, and nothing was changed"
  store_attempt "${ARG[job]}" "$((ATTEMPT + 1)) open"
  if [[ -v ARG[account] ]]; then
    end_sessions
    [[ -z $DENIED ]] ||
      refuse Unverified "mysqld on $HOSTNAME lets root in no more ($DENIED), so sessions of older attempts could not be ended; $LET_ROOT_IN; then claim again"
    [[ $SERVER != hung ]] || refuse Unverified "mysqld on $HOSTNAME greets nobody, so sessions of older attempts could not be ended; claim again"
  fi
  say attempt "$((ATTEMPT + 1))"
}

verb_job_assert() {
  load_records && check_owner && check_attempt
}

# The last act of an attempt: what it proved stays readable, and an attempt that comes late cannot touch a replica that counts by then.
verb_job_prove() {
  store_attempt "${ARG[job]}" "$ATTEMPT proven ${ARG[tables]} ${ARG[position]}"
}

say_attempt() {
  load_attempt "$1" || return 1
  say attempt "$ATTEMPT"
  say phase "$PHASE"
  say proof "$PROOF"
}
