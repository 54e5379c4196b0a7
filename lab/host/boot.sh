#!/bin/bash
# First program inside a lab host's own namespaces: gives it its own root file system, then becomes its init.
# Called by lab/machine.ts with: LAB_HOST LAB_LOWER LAB_UPPER LAB_WORK LAB_ROOT LAB_PROJECT LAB_FOLDER LAB_NODE
set -eu

mount -t overlay "lab-$LAB_HOST" -o "lowerdir=$LAB_LOWER,upperdir=$LAB_UPPER,workdir=$LAB_WORK" "$LAB_ROOT"
cd "$LAB_ROOT"
mount -t proc proc proc
# /run and /tmp are memory, so a power-off empties them as on a real host.
mount -t tmpfs -o mode=755,size=256m run run
mount -t tmpfs -o mode=1777,size=2g tmp tmp
# A sysfs of our own shows our network interfaces; the machine's would show its own.
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 shm dev/shm
# Every boot has its own boot ID; the kernel's own would be the same for all hosts and for ever.
cp /proc/sys/kernel/random/uuid run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
# The project and node are seen live: an overlay would go on showing files of before a rebuild.
mkdir -p "${LAB_PROJECT#/}"
mount --bind -o ro "$LAB_PROJECT" "${LAB_PROJECT#/}"
if [ -d "${LAB_FOLDER#/}" ]; then mount -t tmpfs -o mode=700,size=1m hidden "${LAB_FOLDER#/}"; fi

mkdir -p run/lab-old-root
pivot_root . run/lab-old-root
cd /
hostname "$LAB_HOST"
umount -l /run/lab-old-root
rmdir /run/lab-old-root
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  "${@:-/sbin/lab-init}"
