import type { AccountRole, HeldGrants } from '../domain/accounts.ts';
import { NO_ROLES, privilegesAtLogin } from '../domain/roles.ts';
import { privilegesIn, readRoles } from './mariadb-roles.ts';
import type { Row, Session } from './ports.ts';

/**
 * What accounts hold when they log in, as the server's own tables have it: by themselves, or by their default role.
 * @param names  of the accounts; the operation account is the one that asks
 * Source: MariaDB KB, information_schema.USER_PRIVILEGES and SCHEMA_PRIVILEGES
 */
export async function readGrants(
  session: Session,
  names: Readonly<Record<Exclude<AccountRole, 'operation'>, string>>,
): Promise<readonly HeldGrants[]> {
  const global = await session.rows(
    'SELECT GRANTEE AS grantee, PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES',
  );
  const standfast = await session.rows(
    "SELECT GRANTEE AS grantee, PRIVILEGE_TYPE AS privilege FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA = 'standfast'",
  );
  const ownGrants = privilegesIn(await session.rows('SHOW GRANTS'));
  // Without it the tables of roles cannot be read, and that it lacks SELECT is what has to be mended first.
  const roles = ownGrants.global.includes('SELECT')
    ? await readRoles((statement) => session.rows(statement))
    : NO_ROLES;
  const [self = {}] = await session.rows('SELECT CURRENT_USER() AS self');
  const own = quoted(text(self, 'self'));
  const grantees = [...new Set([...global, ...standfast].map((row) => text(row, 'grantee')))];
  const roleOf = (grantee: string): AccountRole | null => {
    if (grantee === own) return 'operation';
    const name = grantee.slice(1, grantee.lastIndexOf("'@'"));
    if (name === names.replication) return 'replication';
    return name === names.heartbeat ? 'heartbeat' : null;
  };
  return grantees.flatMap((grantee) => {
    const account = roleOf(grantee);
    const of = (rows: readonly Row[]): readonly string[] =>
      rows.filter((row) => text(row, 'grantee') === grantee).map((row) => text(row, 'privilege'));
    if (account === null) return [];
    const byRole = privilegesAtLogin(roles, grantee);
    return [
      {
        ...{ account, grantee },
        global: [...of(global), ...byRole.global],
        standfast: [...of(standfast), ...byRole.standfast],
      },
    ];
  });
}

/** `standfast@10.0.0.%` as the tables write it. */
function quoted(account: string): string {
  const at = account.lastIndexOf('@');
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
}

const text = (row: Row, key: string): string => String(row[key]);
