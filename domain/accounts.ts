/** Privileges that one account must have, by the names that the server itself uses. Source: MariaDB KB, "GRANT", 10.11. */
export interface RequiredGrant {
  readonly account: AccountRole;
  readonly on: '*.*' | 'standfast.*';
  readonly privileges: readonly string[];
}

/** `operation`: access.sql.user; `replication`: replication.user; `heartbeat`: the locked account that writes heartbeat rows. */
export type AccountRole = 'operation' | 'replication' | 'heartbeat';

/** Nobody logs in with it. It writes heartbeat rows for whoever calls, and has no privilege to write on a read-only server. */
export const HEARTBEAT_ACCOUNT = { name: 'standfast_beat', host: 'localhost' } as const;

/**
 * Of the operation account, on everything. READ_ONLY ADMIN: MariaDB 10.11 asks for it to change read_only. EVENT: to switch on the events of whatever database;
 * that a definer stays takes SUPER (or SET USER) besides.
 */
export const OPERATION_PRIVILEGES: readonly string[] = [
  'SELECT',
  'PROCESS',
  'RELOAD',
  'SUPER',
  'BINLOG MONITOR',
  'BINLOG ADMIN',
  'REPLICATION SLAVE ADMIN',
  'REPLICATION MASTER ADMIN',
  'SLAVE MONITOR',
  'CONNECTION ADMIN',
  'READ_ONLY ADMIN',
  'EVENT',
];

/**
 * The helper ends sessions, and copies, as root@localhost over the socket and without a password. Its placeholder is no SQL, and nothing goes into the binary log: done as
 * it stands, it changes nothing, and on a replica it makes no transaction that nobody else has. Source: MariaDB KB, "Authentication Plugin - Unix Socket"; "ALTER USER".
 */
export const LET_ROOT_IN =
  'as its administrator, on that host: SET sql_log_bin=0; ALTER USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD(ITS_PASSWORD) ACCOUNT UNLOCK';

export const REQUIRED_GRANTS: readonly RequiredGrant[] = [
  { account: 'operation', on: '*.*', privileges: OPERATION_PRIVILEGES },
  {
    account: 'operation',
    on: 'standfast.*',
    privileges: ['INSERT', 'UPDATE', 'DELETE', 'CREATE', 'CREATE ROUTINE', 'EXECUTE'],
  },
  { account: 'heartbeat', on: 'standfast.*', privileges: ['SELECT', 'INSERT', 'UPDATE', 'EXECUTE'] },
  { account: 'replication', on: '*.*', privileges: ['REPLICATION SLAVE'] },
];

/** What an account holds, under one of the names and addresses that it is known by. */
export interface HeldGrants {
  readonly account: AccountRole;
  /** As in SQL: `'standfast'@'10.0.0.%'`. */
  readonly grantee: string;
  /** On everything, and on the database standfast. */
  readonly global: readonly string[];
  readonly standfast: readonly string[];
}

export interface JudgedGrant extends Pick<RequiredGrant, 'account' | 'on'> {
  readonly privilege: string;
  readonly isHeld: boolean;
  /** The statement that gives it. */
  readonly statement: string;
}

/** Each privilege by itself. An account that is there more than once, for several addresses, needs it once. */
export function judgeGrants(
  held: readonly HeldGrants[],
  nameOf: Readonly<Record<AccountRole, string>>,
): readonly JudgedGrant[] {
  return REQUIRED_GRANTS.flatMap(({ account, on, privileges }) => {
    const own = held.filter((one) => one.account === account);
    const grantee = own[0]?.grantee ?? nameOf[account];
    return privileges.map((privilege) => ({
      account,
      on,
      privilege,
      isHeld: own.some((one) => one.global.includes(privilege) || (on !== '*.*' && one.standfast.includes(privilege))),
      statement: `GRANT ${privilege} ON ${on} TO ${grantee}`,
    }));
  });
}
