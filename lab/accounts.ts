import { createHash } from 'node:crypto';
import type { Host } from './machine.ts';
import { network } from './network.ts';

export interface Passwords {
  readonly standfast: string;
  readonly repl: string;
  readonly app: string;
}

/** As mysql_native_password keeps it. In clear it would stand in the binlog, which takes the statement as it comes. */
function hashed(password: string): string {
  const sha1 = (bytes: string | Buffer): Buffer => createHash('sha1').update(bytes).digest();
  return `IDENTIFIED BY PASSWORD '*${sha1(sha1(password)).toString('hex').toUpperCase()}'`;
}

/**
 * What an administrator would have set up on a plain primary, plus the ledger's table, which has to exist before replicas do.
 * READ ONLY ADMIN: MariaDB 10.11 asks for it to change read_only. Source: MariaDB KB, "GRANT", global privileges.
 */
export async function createAccounts(primary: Host, passwords: Passwords): Promise<void> {
  const operator = `'standfast'@'${network.mask}'`;
  const writer = "'standfast_beat'@'localhost'";
  const replica = `'repl'@'${network.mask}'`;
  const applications = ["'app'@'%'", "'app'@'localhost'"];
  await primary.sql(
    [
      "DELETE FROM mysql.global_priv WHERE User = ''",
      'FLUSH PRIVILEGES',
      'CREATE DATABASE standfast',
      'CREATE DATABASE shop CHARACTER SET utf8mb4',
      'CREATE DATABASE ledger',
      `CREATE USER ${operator} ${hashed(passwords.standfast)}`,
      `GRANT SELECT, PROCESS, RELOAD, SUPER, BINLOG MONITOR, BINLOG ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN,
         SLAVE MONITOR, CONNECTION ADMIN, READ_ONLY ADMIN, EVENT ON *.* TO ${operator}`,
      `GRANT INSERT, UPDATE, DELETE, CREATE, CREATE ROUTINE, EXECUTE ON standfast.* TO ${operator}`,
      `CREATE USER ${writer} ACCOUNT LOCK`,
      `GRANT SELECT, INSERT, UPDATE, EXECUTE ON standfast.* TO ${writer}`,
      `CREATE USER ${replica} ${hashed(passwords.repl)}`,
      `GRANT REPLICATION SLAVE ON *.* TO ${replica}`,
      ...applications.flatMap((account) => [
        // Together fewer than a server has, 151: replicas have to find a connection when all others wait for their acknowledgement.
        `CREATE USER ${account} ${hashed(passwords.app)} WITH MAX_USER_CONNECTIONS 70`,
        `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON shop.* TO ${account}`,
        `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON ledger.* TO ${account}`,
      ]),
      // No unique key on the token: a write that was applied twice has to be seen, not refused.
      `CREATE TABLE ledger.writes (
         id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
         token BIGINT UNSIGNED NOT NULL,
         route VARCHAR(32) NOT NULL,
         server INT UNSIGNED NOT NULL,
         written TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
         KEY token (token)
       )`,
    ].join(';\n'),
  );
}
