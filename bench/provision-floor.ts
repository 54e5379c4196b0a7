import { readFileSync } from 'node:fs';
import type { Lab } from '../lab/lab.ts';
import { by, exchangeKeys, KEY } from './by-hand.ts';

const DATA = '/var/lib/mysql';
const STAGING = '/var/lib/floor';

const SETTINGS = `[mysqld]
server_id=2
log_bin=mariadb-bin
log_slave_updates=1
binlog_format=ROW
sync_binlog=1
innodb_flush_log_at_trx_commit=1
gtid_strict_mode=1
read_only=1
skip_slave_start=1
`;

/** Keys, settings and an empty data directory: what is there before the first byte is sent. */
export async function readyByHand(lab: Lab, from: string, to: string): Promise<void> {
  await exchangeKeys(lab, from, to);
  const replica = lab.host(to);
  await by(replica, `cat >/etc/mysql/mariadb.conf.d/62-replica.cnf`, SETTINGS);
  await by(replica, `find ${DATA} -mindepth 1 -delete\ninstall -d -m 700 ${STAGING}`);
}

/** The fastest copy that is written by hand, with the cipher of the product: from host to host, no checks; then it replicates. */
export async function copyByHand(lab: Lab, from: string, to: string): Promise<void> {
  const [donor, replica] = [lab.host(from), lab.host(to)];
  const target = `root@${replica.address}`;
  await by(
    donor,
    `mariadb-backup --backup --stream=mbstream --user=root --socket=/run/mysqld/mysqld.sock --target-dir=/tmp/floor --parallel=2 |
       ssh -F /dev/null -T -o BatchMode=yes -i ${KEY} -c aes128-gcm@openssh.com ${target} mbstream -x -C ${STAGING}`,
  );
  await by(
    replica,
    `mariadb-backup --prepare --target-dir=${STAGING}
     mariadb-backup --move-back --target-dir=${STAGING} --datadir=${DATA}
     chown -R mysql:mysql ${DATA}
     service mariadb start`,
  );
  const position = await by(replica, `cut -f 3 ${STAGING}/xtrabackup_binlog_info`);
  const password = readFileSync(lab.etc('repl.password'), 'utf8').trim();
  await replica.sql(`SET sql_log_bin = 0; SET GLOBAL gtid_slave_pos = '${position}';
    CHANGE MASTER TO MASTER_HOST = '${donor.address}', MASTER_USER = 'repl', MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos;
    START SLAVE`);
}
