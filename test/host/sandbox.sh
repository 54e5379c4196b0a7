#!/bin/bash
# A throw-away host for the tests of the helper: own processes, network, name and file system (changes go to memory and vanish).
# Prints "ready PID" and lives until its standard input closes.   sandbox.sh NAME
set -euo pipefail

if [[ ${2-} != inside ]]; then
  exec unshare --mount --pid --net --uts --fork --kill-child "$0" "$1" inside
fi

place=/mnt # exists everywhere; the mount is seen by this sandbox only
mount --make-rprivate /
mount -t tmpfs sandbox "$place"
mkdir "$place"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount -t proc proc "$place/root/proc"
mount --rbind /dev "$place/root/dev"
mount --rbind /sys "$place/root/sys"
for folder in run tmp; do mount -t tmpfs "$folder" "$place/root/$folder"; done
chmod 1777 "$place/root/tmp"
hostname "$1"
ip link set lo up
rm -rf "$place"/root/var/lib/mysql/* "$place"/root/etc/standfast "$place"/root/var/lib/standfast
cd "$place/root"
mkdir -p old
pivot_root . old
umount -l old
# As process 1, bash reaps what its host's daemons leave behind.
exec /bin/bash -c 'echo ready; while read -r _; do :; done'
