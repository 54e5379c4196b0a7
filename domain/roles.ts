/** Privileges on everything, and on the database standfast, by the names that the server itself uses. */
export interface Privileges {
  readonly global: readonly string[];
  readonly standfast: readonly string[];
}

/** An account, or a role. Accounts as in SQL: `'shop'@'10.0.0.%'`; roles by their names. */
export interface RoleMember {
  readonly member: string;
  readonly role: string;
}

/** The roles of a server. */
export interface Roles {
  readonly privileges: ReadonlyMap<string, Privileges>;
  readonly members: readonly RoleMember[];
  /** The role that an account has as soon as it logs in. */
  readonly defaults: ReadonlyMap<string, string>;
}

export const NO_ROLES: Roles = { privileges: new Map(), members: [], defaults: new Map() };

/** Every account has it, always. Source: MariaDB KB, "GRANT", TO PUBLIC (10.11). */
const PUBLIC = 'PUBLIC';

/** What roles give an account as soon as it logs in. A default role that was taken from it since gives nothing. */
export function privilegesAtLogin(roles: Roles, account: string): Privileges {
  const role = roles.defaults.get(account);
  const has = roles.members.some((one) => one.member === account && one.role === role);
  return privilegesOf(roles, role !== undefined && has ? [role, PUBLIC] : [PUBLIC]);
}

/** What roles give an account that it may take by SET ROLE, or has. */
export const privilegesWithinReach = (roles: Roles, account: string): Privileges =>
  privilegesOf(roles, [account, PUBLIC]);

/** Of those, and of every role that they have in turn. */
function privilegesOf({ privileges, members }: Roles, first: readonly string[]): Privileges {
  const found = new Set(first);
  // A set visits what is added while it is walked.
  for (const one of found) for (const { member, role } of members) if (member === one) found.add(role);
  const held = [...found].map((name) => privileges.get(name));
  return {
    global: [...new Set(held.flatMap((one) => one?.global ?? []))],
    standfast: [...new Set(held.flatMap((one) => one?.standfast ?? []))],
  };
}
