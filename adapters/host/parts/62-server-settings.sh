# --- what a server that is started here would be, read from its program and its files: it need not run ---

verb_server_settings() {
  local program version='' zone
  for program in mariadbd mysqld; do
    command -v "$program" >/dev/null || continue
    version=$("$program" --no-defaults --version 2>/dev/null) && break
  done
  [[ $version =~ Ver\ ([^ ]+) ]] || refuse Unsafe "no database server is installed on $HOSTNAME: neither mariadbd nor mysqld says its version; nothing was changed; install it first"
  say version "${BASH_REMATCH[1]}"
  server_option lower_case_table_names
  say lower_case_table_names "${OPTION:-0}"
  server_option default_time_zone
  zone=${OPTION:-SYSTEM}
  [[ ${zone^^} != SYSTEM ]] || system_zone
  say time_zone "$zone"
}

# The zone's name, not its letters of today: those change in summer. A file that is no link has only its content.
system_zone() {
  zone=UTC
  [[ -e /etc/localtime ]] || return 0
  zone=$(realpath /etc/localtime)
  case $zone in
    */zoneinfo/*) zone=${zone##*/zoneinfo/} ;;
    *) zone=$(sha256sum </etc/localtime) && zone=file:${zone:0:12} ;;
  esac
}
