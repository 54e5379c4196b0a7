# --- the unit: systemd starts what it was told to, also what was killed. A fenced server stays down, whoever starts it ---

has_systemd() {
  [[ -d /run/systemd/system ]]
}

# It may not answer either; to read all units again takes it a while on a busy host.
systemd() {
  timeout --foreground 10 systemctl -q "$@" 2>>"$ERRORS"
}

# unit_says PROPERTY: in UNIT_SAYS.
unit_says() {
  UNIT_SAYS=$(systemd show --value -p "$1" -- "${UNIT-${CONF[unit]}}")
}

# By the name that systemd itself has for it: mysql.service may be another name of mariadb.service.
know_unit() {
  [[ ! -v UNIT ]] || return 0
  unit_says Id || return 1
  UNIT=${UNIT_SAYS:-${CONF[unit]%.service}.service}
}

readonly CONDITION="# Written by standfast-host. While this host is fenced its database server is not started, by whomever.
[Unit]
ConditionPathExists=!$STATE/fenced"

# Asked by systemd at every start, wherever the unit itself lies, and after a reboot too; a mask for the time being is neither.
hold_unit() {
  local file old=''
  has_systemd || return 0
  know_unit || return 1
  file=/etc/systemd/system/$UNIT.d/standfast.conf
  [[ ! -e $file ]] || old=$(<"$file")
  if [[ $old != "$CONDITION" ]]; then
    install -d -m 0755 "${file%/*}"
    store "$file" 0644 "$CONDITION"
  fi
  unit_is_held "$file" && return 0
  systemd daemon-reload
  unit_is_held "$file"
}

unit_is_held() {
  unit_says DropInPaths
  [[ " $UNIT_SAYS " == *" $1 "* ]] && return 0
  unit_says LoadState
  [[ $UNIT_SAYS == @(masked|not-found) ]]
}

# All that belongs to it, a start that is still under way too; and no start that systemd has planned for later.
end_unit() {
  has_systemd || return 0
  systemd kill -s KILL -- "$UNIT"
  systemd --no-block stop -- "$UNIT"
}

# One that is about to be started again is not gone. No answer counts as one that is there.
unit_is_up() {
  has_systemd || return 1
  know_unit && unit_says ActiveState || return 0
  [[ $UNIT_SAYS != @(inactive|failed) ]]
}
