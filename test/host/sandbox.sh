#!/bin/bash
# A throw-away host for the tests of the helper: own processes, network, name and file system (changes go to memory and vanish).
# Prints "ready" and lives until its standard input closes.   sandbox.sh NAME FOLDER-TO-SHOW
set -euo pipefail

if [[ ${3-} != inside ]]; then
  exec unshare --mount --pid --net --uts --fork --kill-child "$0" "$1" "$2" inside
fi

# It exists everywhere, and this mount is seen by this sandbox only.
place=/mnt
mount --make-rprivate /
mount -t tmpfs sandbox "$place"
mkdir "$place"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
cd "$place/root"
mkdir -p old opt/shown
mount -t proc proc proc
mount --rbind /dev dev
mount -t sysfs sys sys
mount -t tmpfs run run
mount -t tmpfs tmp tmp
mount --bind "$2" opt/shown
chmod 1777 tmp
hostname "$1"
echo "127.0.1.1 $1" >>etc/hosts
ip link set lo up
rm -rf var/lib/mysql etc/standfast var/lib/standfast var/lib/standfast-account etc/sudoers.d/standfast etc/keepalived
install -d -o mysql -g mysql var/lib/mysql
mkdir -p run/lock run/sshd
pivot_root . old
umount -l old
# As process 1, bash reaps what its host's daemons leave behind.
exec /bin/bash -c 'cd /; echo ready; while read -r _; do :; done'
