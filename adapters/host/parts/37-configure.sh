# --- the drop-in: closed at boot, and the settings of a member ---

readonly CLOSED='# Written by standfast-host. A member boots read-only; it is opened by an order at the newest epoch.
[mysqld]
read_only=1
event_scheduler=OFF
skip_slave_start=1
loose_ignore_db_dirs=.standfast'

# Effective means: the last word of the whole configuration, wherever our file stands in it. Sets BOOTS to closed, open or unknown, and OPENED_BY to the option
# that has the last word and opens the server.
read_boot_options() {
  local option name value
  BOOTS=unknown OPENED_BY=''
  command -v my_print_defaults >/dev/null || return 0
  BOOTS=open
  while IFS= read -r option; do
    name=${option#--} value=on
    [[ $name != *=* ]] || value=${name#*=}
    name=${name%%=*}
    name=${name//-/_}
    case ${name#loose_} in
      read_only | enable_read_only) [[ ${value,,} =~ ^(1|on|true)$ ]] && BOOTS=closed || BOOTS=open ;;
      skip_read_only | disable_read_only) BOOTS=open ;;
      *) continue ;;
    esac
    [[ $BOOTS == closed ]] && OPENED_BY='' || OPENED_BY=$option
  done < <(my_print_defaults --mysqld)
}

check_closed_wins() {
  read_boot_options
  [[ $BOOTS != open ]] ||
    refuse Unsafe "$HOSTNAME would not boot closed: after ${CONF[dropin]} the configuration says \"$OPENED_BY\"; remove that setting or name the last file read as dropin= in $SETTINGS"
}

check_settings() {
  local line key
  while IFS= read -r line; do
    [[ -z $line ]] && continue
    key=${line%%=*}
    key=${key//-/_}
    [[ $line =~ ^[a-z][a-z0-9_.:-]*(=[^[:cntrl:]]*)?$ ]] || refuse BadInput "configure: the setting \"$line\" is not key=value"
    case $key in
      read_only | event_scheduler | skip_slave_start | skip_replica_start | server_id | report_host | init_file | user | datadir)
        refuse BadInput "configure: the setting \"$key\" is not the operation's to choose" ;;
    esac
  done <<<"$1"
}

verb_configure() {
  local text old='' changed=no
  check_settings "${ARG[settings]-}"
  text="$CLOSED"$'\n'"server_id=${ARG[server_id]}"$'\n'"report_host=${ARG[report_host]}"
  [[ -z ${ARG[settings]-} ]] || text+=$'\n'"${ARG[settings]%$'\n'}"
  [[ ! -e ${CONF[dropin]} ]] || old=$(<"${CONF[dropin]}")
  if [[ $old != "$text" ]]; then
    store "${CONF[dropin]}" 0644 "$text"
    changed=yes
  fi
  check_closed_wins
  # A fence proves it, and tries again; what does not answer now must not keep a primary from being opened.
  hold_unit || true
  keep_spares
  say changed "$changed"
}

# What is in place, by its digest: whoever asks knows what should be; and whether the server would boot closed.
verb_installed() {
  local sum='' dropin=no
  [[ ! -e $KEEPALIVED_CONF ]] || sum=$(sha256sum <"$KEEPALIVED_CONF") || refuse Unverified "cannot read $KEEPALIVED_CONF on $HOSTNAME"
  [[ ! -e ${CONF[dropin]} ]] || dropin=yes
  say keepalived_sha256 "${sum%% *}"
  say dropin "$dropin"
  say dropin_file "${CONF[dropin]}"
  read_boot_options
  say boots "$BOOTS"
  say opened_by "$OPENED_BY"
  ROW=''
  ! mysqld_runs || sql_once 'SELECT 1'
  say socket_root "${ROW:+yes}$DENIED"
}
