import type { Privileges, Roles } from '../domain/roles.ts';
import { identifier } from './mariadb.ts';
import type { Row } from './ports.ts';

/** What `ALL PRIVILEGES ON *.*` stands for. Source: MariaDB KB, "GRANT", 10.11; compared with a server by the tests. */
export const ALL_PRIVILEGES: readonly string[] = [
  ...['ALTER', 'ALTER ROUTINE', 'BINLOG ADMIN', 'BINLOG MONITOR', 'BINLOG REPLAY', 'CONNECTION ADMIN', 'CREATE'],
  ...['CREATE ROUTINE', 'CREATE TABLESPACE', 'CREATE TEMPORARY TABLES', 'CREATE USER', 'CREATE VIEW', 'DELETE'],
  ...['DELETE HISTORY', 'DROP', 'EVENT', 'EXECUTE', 'FEDERATED ADMIN', 'FILE', 'INDEX', 'INSERT', 'LOCK TABLES'],
  ...['PROCESS', 'READ_ONLY ADMIN', 'REFERENCES', 'RELOAD', 'REPLICATION MASTER ADMIN', 'REPLICATION SLAVE'],
  ...['REPLICATION SLAVE ADMIN', 'SELECT', 'SET USER', 'SHOW DATABASES', 'SHOW VIEW', 'SHUTDOWN', 'SLAVE MONITOR'],
  ...['SUPER', 'TRIGGER', 'UPDATE'],
];

/**
 * The roles of a server, whom they were given to, and what they may.
 * Source: MariaDB KB, mysql.roles_mapping, mysql.global_priv, SHOW GRANTS. information_schema.USER_PRIVILEGES has no roles.
 */
export async function readRoles(rows: (statement: string) => Promise<readonly Row[]>): Promise<Roles> {
  const entries = await rows(`SELECT User AS user, Host AS host,
      IFNULL(JSON_VALUE(Priv, '$.is_role'), '0') IN ('1', 'true') AS isRole, IFNULL(JSON_VALUE(Priv, '$.default_role'), '') AS role
    FROM mysql.global_priv`);
  const mapping = await rows('SELECT User AS user, Host AS host, Role AS role FROM mysql.roles_mapping');
  const privileges = new Map<string, Privileges>();
  for (const row of entries) {
    if (String(row['isRole']) !== '1') continue;
    const role = String(row['user']);
    privileges.set(role, privilegesIn(await rows(`SHOW GRANTS FOR ${identifier(role)}`)));
  }
  const names = new Set(privileges.keys());
  return {
    privileges,
    members: mapping.map((row) => ({ member: memberOf(row, names), role: String(row['role']) })),
    defaults: new Map(
      entries.filter((row) => row['role'] !== '').map((row) => [memberOf(row, names), String(row['role'])]),
    ),
  };
}

/** @param grants  the answer of SHOW GRANTS */
export function privilegesIn(grants: readonly Row[]): Privileges {
  const on = (what: string): readonly string[] =>
    grants
      .flatMap((row) => {
        const grant = String(Object.values(row)[0]);
        const [, list = '', object = ''] = /^GRANT (.+?) ON (\*\.\*|`standfast`\.\*) TO /.exec(grant) ?? [];
        return object === what ? list.split(', ') : [];
      })
      .flatMap((privilege) => (privilege === 'ALL PRIVILEGES' ? ALL_PRIVILEGES : [privilege]))
      .filter((privilege) => privilege !== 'USAGE');
  return { global: on('*.*'), standfast: on('`standfast`.*') };
}

/** A role has no host. */
function memberOf(row: Row, roles: ReadonlySet<string>): string {
  const [user, host] = [String(row['user']), String(row['host'])];
  return host === '' && roles.has(user) ? user : `'${user}'@'${host}'`;
}
