#!/bin/bash
# Process 1 of a lab host (installed as /sbin/lab-init): starts what is enabled, says so, and reaps orphans.
# Nothing started here may keep a descriptor of ours: output goes to a log on the host.
exec </dev/null >>/var/log/lab-init.log 2>&1
echo "boot $(cat /proc/sys/kernel/random/boot_id)"

mkdir -p /run/sshd /run/lock /run/mysqld
chown mysql:mysql /run/mysqld
# A disk of its own for the data directory, on hosts that were given one (lab/small-disk.ts).
if [ -f /var/lib/lab-datadir.img ]; then mount -o loop /var/lib/lab-datadir.img /var/lib/mysql || echo "no disk for the data"; fi
# Only a supervised database is a child that comes back; everything else that dies stays dead, as on a plain host.
/usr/sbin/sshd || echo "sshd did not start"
if [ -f /etc/keepalived/keepalived.conf ]; then service keepalived start || echo "keepalived did not start"; fi
if [ -f /etc/lab-enabled/mariadb ]; then service mariadb start || echo "mariadb did not start"; fi
: > /run/lab-booted

trap '' HUP INT TERM
# bash reaps every orphan while it waits, so zombies do not pile up.
while :; do
  sleep 2147483647 &
  wait $!
done
