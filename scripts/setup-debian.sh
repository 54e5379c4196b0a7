# shellcheck shell=bash
# Debian packages without their services: part of scripts/setup.

readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_KEPT=$POLICY.standfast-kept
readonly POLICY_MARK='# made by the set-up of standfast while it installs packages'
readonly APT_LOCK=/run/lock/standfast-setup.lock
readonly APT_PATIENCE=120
# Packages that bring a service, and its name.
declare -rA SERVICES=([mariadb-server]=mariadb [keepalived]=keepalived [openssh-server]=ssh [rsync]=rsync [nftables]=nftables)

# Those of the arguments that are not installed.
missing_packages() {
  local name
  local -A installed=()
  while read -r status name; do
    [[ $status != installed ]] || installed[$name]=yes
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
  for name; do
    [[ -v installed[$name] ]] || echo "$name"
  done
}

ensure_debian_packages() {
  local -a missing
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    check_programs_without_apt
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    have "Debian packages: all ${#} there"
    return
  fi
  doing "installing Debian packages, without starting their services: ${missing[*]}"
  mkdir -p "${APT_LOCK%/*}"
  exec 8>"$APT_LOCK"
  flock 8
  install_packages "${missing[@]}"
  exec 8>&-
}

# Another kind of system: it may have everything all the same.
check_programs_without_apt() {
  local program
  local -a missing=()
  for program in mariadbd mariadb-backup keepalived sshd sudo rsync nft ip arping socat; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || give_up "these programs are missing, and there is no apt-get to install them with: ${missing[*]}" \
    "install them with this system's own tools (on Debian the packages are: ${PACKAGES[*]})"
}

install_packages() {
  trap 'allow_services; exit 130' INT TERM HUP
  trap allow_services EXIT
  deny_services
  update_lists || doing 'the package lists could not be renewed; trying with those that are here'
  if ! logged env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o "DPkg::Lock::Timeout=$APT_PATIENCE" \
    install --no-install-recommends "$@" 8>&-; then
    give_up "apt-get could not install them (above, and in $LOG); look at its last lines, and run this again"
  fi
  keep_services_off "$@"
  allow_services
  trap - INT TERM HUP EXIT
}

# apt-get waits for dpkg's lock by itself, but not for the one on the lists.
update_lists() {
  local said
  local end=$((SECONDS + APT_PATIENCE))
  until said=$(apt-get -q update 8>&- 2>&1 </dev/null); do
    printf '%s\n' "$said" >>"$LOG"
    if [[ $said != *'Could not get lock'* ]] || ((SECONDS >= end)); then return 1; fi
    sleep 2
  done
}

# What installs packages asks this script before it starts a service; 101 is "no". One that was here before comes back afterwards.
deny_services() {
  restore_policy
  [[ ! -e $POLICY && ! -L $POLICY ]] || mv "$POLICY" "$POLICY_KEPT"
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
  chmod 0755 "$POLICY"
}

allow_services() { restore_policy; }

restore_policy() {
  if [[ -f $POLICY ]] && grep -qxF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
  if [[ -e $POLICY_KEPT || -L $POLICY_KEPT ]]; then mv "$POLICY_KEPT" "$POLICY"; fi
}

# A set-up that was killed half-way could not do it itself. One that still runs holds the lock.
restore_policy_after_a_kill() {
  [[ -e $POLICY_KEPT || -L $POLICY_KEPT ]] || { [[ -f $POLICY ]] && grep -qxF "$POLICY_MARK" "$POLICY"; } || return 0
  mkdir -p "${APT_LOCK%/*}"
  (flock -n 8 && restore_policy) 8>"$APT_LOCK" || true
}

# Nor at the next boot: what was not here before shall not run because of us.
keep_services_off() {
  local name
  command -v update-rc.d >/dev/null || return 0
  for name; do
    [[ ! -v SERVICES[$name] ]] || update-rc.d "${SERVICES[$name]}" disable >>"$LOG" 2>&1 || true
  done
}
