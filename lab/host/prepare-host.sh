#!/bin/bash
# Makes a host out of the base layer: its name, its keys, and the product's helper on it.
# $1: the project; $2: a public key for the helper, or nothing to leave the helper out; $3: primary or nothing.
# Standard input: lines for /etc/hosts.
set -eu
project=$1 key=$2 role=${3:-}

hostname > /etc/hostname
tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s\n' "$(cat)" > /etc/hosts
ssh-keygen -q -t ed25519 -N '' -C "root@$(hostname)" -f /etc/ssh/ssh_host_ed25519_key

if [ "$role" = primary ]; then
  cat > /etc/mysql/mariadb.conf.d/61-primary.cnf <<'CNF'
[mysqld]
server_id                      = 1
gtid_domain_id                 = 0
gtid_strict_mode               = 1
log_bin                        = mariadb-bin
log_slave_updates              = 1
binlog_format                  = ROW
sync_binlog                    = 1
innodb_flush_log_at_trx_commit = 1
max_binlog_size                = 256M
expire_logs_days               = 10
slave_net_timeout              = 4
event_scheduler                = ON
CNF
fi
if [ -n "$key" ]; then "$project/adapters/host/install.sh" --key "$key"; fi
