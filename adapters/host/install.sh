#!/bin/bash
# Prepares this host for Standfast: the account, its one key, the sudo rule for one file, and that file.
# Run as root, once per host; running it again changes only what differs.
#   install.sh --key "ssh-ed25519 AAAA…" [--from DIR]      DIR: the folder that has parts/ (default: where this script is)
set -euo pipefail
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin

readonly ACCOUNT=standfast
readonly ACCOUNT_HOME=/var/lib/standfast-account
readonly HELPER=/usr/local/sbin/standfast-host
readonly SUDO_RULE=/etc/sudoers.d/standfast
readonly KEY_SHAPE='^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( [^[:cntrl:]"]*)?$'
KEY='' FROM=''

stop() {
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

read_arguments() {
  while (($# > 0)); do
    case $1 in
      --key) KEY=${2-}; shift ;;
      --from) FROM=${2-}; shift ;;
      *) stop "unknown argument \"$1\"; usage: install.sh --key \"ssh-ed25519 AAAA…\" [--from DIR]" 2 ;;
    esac
    (($# > 0)) && shift
  done
  [[ -n $KEY ]] || stop 'missing --key: the public key of the worker, one line' 2
  [[ $KEY =~ $KEY_SHAPE ]] || stop "--key is not one public key line: \"${KEY:0:60}\"" 2
  FROM=${FROM:-$(dirname "$(realpath "$0")")}
  [[ -d $FROM/parts ]] || stop "$FROM has no folder parts/ with the helper; nothing was changed; name the right folder with --from" 2
  ((EUID == 0)) || stop 'this must run as root; nothing was changed'
}

require_programs() {
  local program missing=''
  for program in sudo visudo useradd getent ip nft ss arping flock setsid ssh ssh-keygen sha256sum awk; do
    command -v "$program" >/dev/null || missing+=" $program"
  done
  [[ -z $missing ]] || stop "missing programs:$missing; nothing was changed; install them (Debian: sudo iproute2 nftables iputils-arping util-linux openssh-client)"
}

# put FILE MODE: writes standard input to FILE by rename, if it differs.
put() {
  local fresh
  fresh=$(mktemp "$1.XXXXXX")
  cat >"$fresh"
  chmod "$2" "$fresh"
  if [[ -f $1 ]] && cmp -s "$fresh" "$1"; then
    rm -f "$fresh"
  else
    mv -T "$fresh" "$1"
    printf 'wrote %s\n' "$1"
  fi
}

# The home belongs to root: the account can neither add a key to itself nor lay a link for the helper to follow.
# "*" is no password; "!" would be a locked account, which sshd without PAM refuses even with a key.
make_account() {
  if ! getent passwd "$ACCOUNT" >/dev/null; then
    useradd --system --user-group --home-dir "$ACCOUNT_HOME" --no-create-home --shell /bin/bash "$ACCOUNT"
    printf 'made the account %s\n' "$ACCOUNT"
  fi
  usermod --password '*' --home "$ACCOUNT_HOME" --shell /bin/bash "$ACCOUNT" >/dev/null
  install -d -o root -g root -m 0755 "$ACCOUNT_HOME" "$ACCOUNT_HOME/.ssh"
}

# Keys of running copy jobs stay; any other key goes.
write_keys() {
  local keys=$ACCOUNT_HOME/.ssh/authorized_keys
  {
    printf 'restrict %s\n' "$KEY"
    [[ ! -f $keys ]] || grep ' standfast-job-' "$keys" || true
  } | put "$keys" 0644
}

write_sudo_rule() {
  local fresh
  fresh=$(mktemp)
  cat >"$fresh" <<RULE
# Written by Standfast. One file, nothing else.
Defaults!$HELPER !requiretty, !use_pty, !log_input, !log_output
$ACCOUNT ALL=(root) NOPASSWD: $HELPER
RULE
  visudo -cqf "$fresh" || stop "visudo refuses the sudo rule in $fresh; the rule was not installed"
  put "$SUDO_RULE" 0440 <"$fresh"
  rm -f "$fresh"
}

# keepalived runs the helper as root and refuses a file in a folder that others can write to; so do we.
install_helper() {
  local folder=${HELPER%/*} text
  install -d -m 0755 "$folder"
  for folder in "${HELPER%/*}" /usr/local; do
    [[ -z $(find "$folder" -maxdepth 0 \( -perm /002 -o -perm /020 -not -group 0 -o -not -user 0 \)) ]] ||
      stop "$folder can be written to by others than root; the helper was not installed; remedy: chown root:root $folder; chmod 0755 $folder"
  done
  text=$(mktemp)
  cat "$FROM"/parts/*.sh >"$text"
  bash -n "$text" || stop "the helper in $FROM/parts is not a script that bash can read; it was not installed"
  put "$HELPER" 0755 <"$text"
  rm -f "$text"
  install -d -m 0700 /var/lib/standfast /var/lib/standfast/jobs
  install -d -m 0755 /etc/standfast
  # What it writes over when the disk is full.
  "$HELPER" keep-spares ||
    printf 'install.sh: no room could be kept for records on a full disk, in /var/lib/standfast/spare; the installation goes on; look at the disk of it and of /run, and run this again\n' >&2
}

read_arguments "$@"
require_programs
make_account
install_helper
write_sudo_rule
write_keys
printf 'standfast-host %s is ready on %s\n' "$(sha256sum "$HELPER" | cut -c1-12)" "$(hostname)"
