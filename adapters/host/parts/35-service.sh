# --- starting and stopping the database; SQL over the local socket as root ---

# The init script gets its own session: a newer claim may end this order, but not the server that it started.
# Its group is noted, so that a fence can end an init script that is still about to start a server.
service_order() {
  # A start script that still waits would try again after a stop; only the script is ended, not the server in its group.
  ! group_alive "$RUN/starter" || kill -KILL "$GROUP" 2>/dev/null
  if has_systemd; then
    as_noted_daemon "$RUN/starter" systemctl "$1" "${CONF[unit]}"
  else
    as_noted_daemon "$RUN/starter" service "${CONF[unit]}" "$1"
  fi
}

# sql_open SECONDS: one client process for the whole conversation; it dies by itself at the deadline, and with the order: in its group, and without its lock.
# It goes on after an error (-f): a session to be killed may have ended by itself.
sql_open() {
  : >"$SQL_ERRORS"
  [[ -S ${CONF[socket]} ]] || return 1
  coproc SQL { close_lock; exec timeout --foreground "$1" mariadb --no-defaults --protocol=socket -uroot -S "${CONF[socket]}" -N -B -n -f 2>>"$SQL_ERRORS"; }
  # A client that has ended already, because the server refuses it, takes these variables with it.
  SQL_IN=${SQL[1]-} SQL_OUT=${SQL[0]-} SQL_PROCESS=${SQL_PID-}
  [[ -n $SQL_IN && -n $SQL_OUT && -n $SQL_PROCESS ]]
}

# sql_do STATEMENT, sql_ask STATEMENT SECONDS (one row, in ROW). No when the client is gone or silent: a broken pipe must not end this order.
sql_do() {
  local status
  trap '' PIPE
  printf '%s;\n' "$1" >&"$SQL_IN"
  status=$?
  trap - PIPE
  return "$status"
} 2>/dev/null

sql_ask() {
  sql_do "$1" && IFS= read -rt "$2" -u "$SQL_OUT" ROW
}

sql_close() {
  kill "$SQL_PROCESS" 2>/dev/null
  SQL_PROCESS=''
}

# Why the server lets root in no more, as the client that has just ended was told; empty when it was something else, which may pass.
DENIED=''
readonly LET_ROOT_IN="as its administrator, on that host: SET sql_log_bin=0; ALTER USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD(ITS_PASSWORD) ACCOUNT UNLOCK"
is_denied() {
  local said=''
  { IFS= read -r said <"$SQL_ERRORS"; } 2>/dev/null
  # ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED
  [[ $said =~ ^ERROR\ (1045|1698|4151)\  ]] && DENIED=$said
}

# sql_once STATEMENT: sets ROW, or perhaps DENIED.
sql_once() {
  ROW=''
  if sql_open 5; then
    local process=$SQL_PROCESS status=0
    sql_ask "$1" 2 || status=$?
    sql_close
    wait "$process" 2>/dev/null
    ((status != 0)) || return 0
  fi
  is_denied
  return 1
}

answers_on_socket() {
  mysqld_runs && sql_once 'SELECT @@global.read_only'
}

# Up, or no server is there: what looks like one may be about to end, as an init script's question is. One that denies root will do so again.
answers_or_gone() {
  answers_on_socket || [[ -n $DENIED ]] || mysqld_gone
}

refuse_denied() {
  [[ -z $DENIED ]] || refuse Unverified "mysqld on $HOSTNAME runs, and root cannot log in on ${CONF[socket]} ($DENIED), so it was not seen whether it is closed; $LET_ROOT_IN"
}

# Up, or seen to have failed: the init script ended and no server process is there.
start_is_decided() {
  answers_on_socket || [[ -n $DENIED ]] && return 0
  ((${#MYSQLD[@]} + ${#SUPERVISORS[@]} == 0)) && ! group_alive "$RUN/starter"
}

refuse_during_installation() {
  local file state step
  for file in "$JOBS"/*/state; do
    [[ -e $file ]] || continue
    read -r state step _ <"$file"
    case $step in
      prepare | aside | move | own | restore)
        refuse Unsafe "the data directory of $HOSTNAME is in the middle of the job in ${file%/state} (step $step, $state); nothing was done; clean that job first" ;;
    esac
  done
}

# Where a server process was seen last, its answer is in ROW.
verb_service_start() {
  [[ $FENCED == no ]] || refuse Unsafe "$HOSTNAME is fenced by the operation in $STATE/fenced; mysqld was not started; unfence it first"
  refuse_during_installation
  POLL=0.03 within 2000 answers_or_gone ||
    refuse NotYet "mysqld on $HOSTNAME runs (process ${MYSQLD[0]}) but does not answer on ${CONF[socket]}; ask again"
  refuse_denied
  if ((${#MYSQLD[@]} == 0)); then
    service_order start
    POLL=0.03 within 25000 start_is_decided || refuse NotYet "mysqld on $HOSTNAME was started and does not answer on ${CONF[socket]} yet; ask again"
    refuse_denied
    ((${#MYSQLD[@]} > 0)) ||
      refuse Unverified "mysqld on $HOSTNAME did not start; the service said: $(tail -c 300 "$RUN/daemon.log"); look at the server's error log"
    [[ $ROW != 0 ]] ||
      refuse Unsafe "mysqld on $HOSTNAME came up writable: something read after ${CONF[dropin]} sets read_only=0; stop it and look at the configuration"
  fi
  say mysqld running
  say pid "${MYSQLD[0]}"
  say read_only "$ROW"
}

database_and_supervisor_gone() {
  mysqld_gone && ! supervisor_present
}

verb_service_stop() {
  scan_processes
  if ((${#MYSQLD[@]} > 0)) || supervisor_present; then
    service_order stop
    POLL=0.03 within 40000 database_and_supervisor_gone || refuse NotYet "mysqld on $HOSTNAME was told to stop and still runs; ask again"
  fi
  say mysqld stopped
}

# Whether a server greets at an address: one that hangs is connected to by its kernel and says nothing, and a host that is off does not even refuse.
# shellcheck disable=SC2016 # the values are for the inner shell
verb_server_probe() {
  local greets=no
  ! timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/$2" && read -rN 1 -u 3' probe "${ARG[address]}" "${ARG[target_port]}" 2>/dev/null || greets=yes
  say greets "$greets"
}
