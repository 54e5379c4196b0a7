#!/bin/bash
# Builds the layer that all lab hosts share: what a fresh installation of the packages leaves on a machine.
# Runs as the first program of a host made for this purpose. $1: the project's lab/host folder.
set -eu
here=$1

# Whatever the machine itself was used for must not show through.
rm -rf /var/lib/standfast /etc/standfast /etc/keepalived/keepalived.conf /etc/mysql/mariadb.conf.d/zz-standfast.cnf
rm -rf /root/.ssh /root/.my.cnf /var/lib/mysql /var/log/mysql /etc/lab-enabled /etc/lab-supervise
rm -f /etc/ssh/ssh_host_* /etc/resolv.conf
mkdir -p /etc/keepalived
: > /etc/resolv.conf

install -m 755 "$here/init.sh" /sbin/lab-init
install -m 755 "$here/mariadb.init" /etc/init.d/mariadb
install -m 755 "$here/keepalived.init" /etc/init.d/keepalived

cat > /etc/mysql/mariadb.conf.d/60-lab.cnf <<'CNF'
[mysqld]
bind-address            = 0.0.0.0
skip-name-resolve       = 1
innodb_buffer_pool_size = 256M
innodb_log_file_size    = 64M
log_error               = /var/log/mysql/error.log
CNF

install -d -o mysql -g mysql -m 700 /var/lib/mysql
install -d -o mysql -g adm /var/log/mysql /run/mysqld
mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db --skip-name-resolve \
  --auth-root-authentication-method=socket >/dev/null
# Debian's package leaves this marker in a fresh data directory.
touch /var/lib/mysql/debian-10.11.flag
