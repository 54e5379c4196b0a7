# --- which verbs there are, and how each is run ---

# quick: in this process. look: in its own. order: under the lock, for the owner. epoch: and only at the accepted epoch.
# attempt: and only for the newest attempt at its job. job: and ends an order of the same job that holds the lock.
# (An order may carry epoch and run, or job and attempt, as well.)
declare -A KIND=(
  [hello]=quick [records]=quick [assert]=quick [job-assert]=quick
  [observe]=look [binlog-end]=look [vip-probe]=look [server-probe]=look [relay-source]=look [job-status]=look [job-check]=look [server-settings]=look [installed]=look [journal]=look [job-receive]=stream
  [audit-host]=look [audit-settings]=look [audit-keepalived]=look [round-trip]=look [backup-age]=look
  [tail-list]=look [tail-read]=look [tail-export]=epoch [tail-write]=epoch [tail-stage]=epoch
  [configure]=order [configure-vip]=order [service-start]=order [service-stop]=order [upgrade]=order
  [admit-replica]=order [job-key]=attempt [job-open]=attempt [job-send]=attempt [job-install]=attempt [job-prove]=attempt
  [job-claim]=job [job-clean]=job [job-keep]=job
  [hand-over]=person [vouch]=person [discard-data]=person [claim]=claim [confirm]=epoch
  [record-primary]=epoch [record-sync]=epoch [keep-relay]=epoch [release-relay]=epoch [refuse-replica]=epoch [make-room]=epoch [end-room]=epoch
  [fence]=epoch [unfence]=epoch [vip-take]=epoch [vip-drop]=epoch
  [files-look]=look [files-status]=look [files-list]=look [files-receive]=stream [files-log]=order
  [files-open]=attempt [files-send]=attempt [files-close]=attempt
)

declare -A NEEDS=(
  [hello]='' [records]='' [assert]='owner epoch run' [observe]='' [binlog-end]='' [vip-probe]='vip interface' [server-probe]='address target_port' [relay-source]=''
  [job-status]='job' [job-check]='bytes' [server-settings]='' [installed]='' [journal]='run' [job-receive]='job' [hand-over]='owner' [vouch]='' [discard-data]='host'
  [audit-host]='' [audit-settings]='names' [audit-keepalived]='' [round-trip]='address target_port' [backup-age]='backup'
  [configure]='owner server_id report_host' [configure-vip]='owner' [service-start]='owner' [service-stop]='owner'
  [upgrade]='owner content sha256' [job-claim]='owner job' [job-assert]='owner job attempt' [job-prove]='owner job attempt tables position'
  [job-key]='owner job attempt' [job-open]='owner job attempt public from bytes' [job-send]='owner job attempt target user known_hosts'
  [job-install]='owner job attempt bytes' [job-clean]='owner job' [job-keep]='owner job'
  [confirm]='owner epoch run boot name' [claim]='owner epoch run account' [record-primary]='owner epoch run host' [record-sync]='owner epoch run mode ackers k'
  [keep-relay]='owner epoch run' [release-relay]='owner epoch run' [fence]='owner epoch run' [unfence]='owner epoch run'
  [refuse-replica]='owner epoch run' [admit-replica]='owner address refused_at'
  [make-room]='owner epoch run limit' [end-room]='owner epoch run'
  [tail-list]='logs beyond' [tail-read]='tail offset' [tail-export]='owner epoch run logs beyond'
  [tail-write]='owner epoch run tail offset piece' [tail-stage]='owner epoch run tail sha256 beyond'
  [vip-take]='owner epoch run vip prefix interface n' [vip-drop]='owner epoch run vip prefix interface'
  [files-look]='role name source cluster fileset path marker' [files-status]='job' [files-list]='job of kind most' [files-receive]='job args' [files-log]='owner line'
  [files-open]='owner job attempt run name source cluster fileset path max diff public from'
  [files-send]='owner job attempt run name source cluster fileset path marker max deletes stamp bandwidth compress target user known_hosts'
  [files-close]='owner job attempt well'
)

declare -A MAY=([confirm]='primary primary_epoch primary_run lineage mode ackers k sync_epoch' [record-primary]='lineage mode ackers k' [claim]='hung_after' [tail-export]='read_to' [observe]='vip interface' [audit-host]='interface' [keep-relay]='address target_port' [configure-vip]='content vip' [configure]='settings' [job-send]='target_port' [files-send]='target_port' [job-claim]='account' [fence]='vip interface prefix logs' [refuse-replica]='address' [make-room]='addresses')

# An order that is ended by a newer claim has no voice left: whoever started it answers.
run_apart() {
  local status
  set -m
  ("$@") </dev/null &
  set +m
  wait "$!"
  status=$?
  ((status == 0 || status == ANSWERED)) || refuse Unverified "$VERB on $HOSTNAME ended before it was finished (status $status), by a newer claim or by a fault; observe again"
  return "$status"
}

in_own_process() {
  set +m
  IN_SUBSHELL=yes
  "$1" && answer_ok
}

under_lock() {
  set +m
  IN_SUBSHELL=yes
  choose_lock "$1"
  case $1 in
    claim) holder_is_older && take_lock_by_force holder_is_older ;;
    job) take_lock_by_force holder_is_of_this_job ;;
    *) take_lock 5 || refuse_busy ;;
  esac
  load_records
  check_authority "$1"
  JOURNALING=yes
  write_journal begin
  "verb_${VERB//-/_}" || return 1
  write_journal "ok${ANSWER//$'\t'/ }"
  answer_ok
}

check_authority() {
  case $1 in
    person) return 0 ;;
    claim) check_claim ;;
    epoch) check_owner && check_epoch ;;
    order | attempt) [[ ! -v ARG[epoch] ]] || check_order_epoch ;;
  esac
  adopt_owner
  check_owner
  [[ ! -v ARG[attempt] ]] || check_order_attempt
}

check_order_attempt() {
  [[ -v ARG[job] ]] || refuse BadInput "$VERB: attempt comes with job"
  check_attempt
}

# An operation may put its epoch on any order; it is then executed only at that epoch.
check_order_epoch() {
  [[ -v ARG[run] ]] || refuse BadInput "$VERB: epoch comes with run"
  check_epoch
}

verb_upgrade() {
  local sum content=${ARG[content]%$'\n'}
  sum=$(printf '%s\n' "$content" | sha256sum)
  [[ ${sum%% *} == "${ARG[sha256]}" ]] || refuse BadInput "upgrade: the content's sha256 is ${sum%% *}, not ${ARG[sha256]}; nothing was changed"
  bash -n <<<"$content" 2>/dev/null || refuse BadInput "upgrade: the content is not a script that bash can read; nothing was changed"
  store "$INSTALLED" 0755 "$content"
  say version "${sum:0:12}"
}

# run_verb VERB key=value…
run_verb() {
  VERB=$1 ANSWER=''
  shift
  choose_logs
  if [[ ! -v KIND[$VERB] ]]; then
    refuse BadInput "there is no verb \"${VERB:0:40}\"; there are: ${!KIND[*]}"; return 1
  fi
  take_arguments "$@" || return 1
  case ${KIND[$VERB]} in
    quick) "verb_${VERB//-/_}" && answer_ok ;;
    look) run_apart in_own_process "verb_${VERB//-/_}" ;;
    stream) set -m; (in_own_process "verb_${VERB//-/_}") <&0 & set +m; wait "$!" ;;
    *) run_apart under_lock "${KIND[$VERB]}" ;;
  esac
}

# An order must not wait behind everything else on a host that is busy, as one with a thousand clients that connect again and again. Daemons have a
# session of their own, so they are not preferred. A kernel that groups processes otherwise, or not at all, treats all alike.
take_precedence() {
  { printf '%s' -10 >/proc/self/autogroup; } 2>/dev/null || true
}

# A last line without its line feed is half a request: it is not carried out.
serve() {
  local line part
  local -a field
  take_precedence
  while IFS= read -r line; do
    field=()
    while [[ $line == *$'\t'* ]]; do
      part=${line%%$'\t'*}
      field+=("$part")
      # By length: removing by pattern takes a second for a field of 60 kB.
      line=${line:${#part}+1}
    done
    field+=("$line")
    ID='-'
    if [[ ${#field[@]} -lt 2 || ! ${field[0]} =~ ^[A-Za-z0-9._:-]{1,64}$ ]]; then
      VERB=serve
      refuse BadInput 'a request is ID, tab, VERB, and key=value arguments, separated by tabs'
      continue
    fi
    ID=${field[0]}
    run_verb "${field[@]:1}" || continue
    # The channel goes on with the new script; nothing of the next request has been read yet.
    [[ $VERB != upgrade || $SELF != "$INSTALLED" ]] || exec "$INSTALLED" serve {PAUSE}>&-
  done
}

main() {
  ((EUID == 0)) || { printf 'standfast-host must run as root: sudo -n %s …\n' "$INSTALLED" >&2; exit 1; }
  (($# > 0)) || { printf 'usage: standfast-host VERB [key=value …] | serve\nverbs: %s\n' "${!KIND[*]}" >&2; exit 1; }
  SELF=$(realpath "$0") && cd / || exit 1
  load_settings
  # Our folder in the data directory: one file system with the data, and the drop-in makes the server ignore it.
  OURS=${CONF[datadir]}/.standfast
  prepare_run_folder || { printf 'standfast-host: cannot make %s and %s\n' "$RUN" "$STATE" >&2; exit 1; }
  case $1 in
    serve | hello)
      VERSION=$(sha256sum "$SELF") && VERSION=${VERSION:0:12}
      if [[ $1 == serve ]]; then serve; else run_verb "$@" || exit 1; fi ;;
    vip-notify) vip_notify "${2-}" ;;
    keep-spares) keep_spares ;;
    run-send | run-prepare | run-count | run-push)
      VERB=$1
      set_job "${2#job=}"
      "run_${1#run-}" ;;
    # What its rsync ends with is told by the other one.
    files-receive) run_verb "$@"; exit ;;
    *) run_verb "$@" || exit 1 ;;
  esac
}

main "$@"
