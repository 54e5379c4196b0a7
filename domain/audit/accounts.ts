import { OPERATION_PRIVILEGES } from '../accounts.ts';
import type { AccountFacts } from './facts.ts';
import type { Judgement, Rule, ServerCase } from './rule.ts';
import { eachServer, listed, unless, withSetting } from './rule.ts';

/** What lets an account write on a server that is read-only. Source: MariaDB KB, read_only. */
const WRITES_ANYWHERE = 'READ_ONLY ADMIN';
/** Of the installation itself: only whoever is root or mysql on the host can use them. */
const OF_THE_HOST = ['root@localhost', 'mysql@localhost', 'mariadb.sys@localhost'];
const MAY_REPLICATE = ['REPLICATION SLAVE', 'REPLICA MONITOR', 'SLAVE MONITOR', 'USAGE'];

const usable = ({ server }: ServerCase): readonly AccountFacts[] => server.accounts.filter(({ locked }) => !locked);
const ofUser = (found: ServerCase, user: string): readonly AccountFacts[] =>
  usable(found).filter((account) => account.user === user);

const named = (accounts: readonly AccountFacts[], expected: string): Judgement =>
  accounts.length === 0 ? null : { found: listed(accounts.map(({ name }) => name)), expected };

/** Accounts that a limit of connections holds for, and that are not Standfast's own. */
const applicationsOf = (found: ServerCase): readonly AccountFacts[] => {
  const { operation, replication } = found.facts.declared.accounts;
  return usable(found).filter(
    ({ name, user, privileges }) =>
      ![operation, replication].includes(user) &&
      !OF_THE_HOST.includes(name) &&
      !privileges.includes('CONNECTION ADMIN'),
  );
};

function whetherApplicationsLeaveRoom(found: ServerCase): Judgement {
  const { cluster } = found.facts;
  if (cluster.mode !== 'semisync') return null;
  return withSetting(found.server.settings, 'max_connections', (most) =>
    withSetting(found.server.settings, 'max_user_connections', (each) => {
      const limits = applicationsOf(found).map(
        ({ name, mostConnections }) => [name, mostConnections === 0 ? Number(each) : mostConnections] as const,
      );
      const unlimited = limits.filter(([, limit]) => limit <= 0).map(([name]) => name);
      const taken = limits.reduce((sum, [, limit]) => sum + limit, 0);
      const replicas = cluster.hosts.length - 1;
      return unless(unlimited.length === 0 && Number(most) - taken >= replicas, {
        found:
          unlimited.length > 0
            ? `each of ${listed(unlimited)} may take all ${most} connections`
            : `accounts of applications may take ${String(taken)} of ${most} connections`,
        expected: `${String(replicas)} are left for the replicas`,
      });
    }),
  );
}

/** Who may do what on the servers: too little, and too much. */
export const ACCOUNT_RULES: readonly Rule[] = [
  {
    code: 'OperationPrivileges',
    group: 'servers',
    severity: 'bad',
    looksAt: 'global privileges of the account in `access.sql`',
    why: 'a step of a failover would be refused by the server when it matters',
    fix: 'GRANT what is missing on the primary (README, Accounts)',
    judge: eachServer((found) => {
      const { operation } = found.facts.declared.accounts;
      const accounts = ofUser(found, operation);
      if (accounts.length === 0) return { found: `no account ${operation}`, expected: `an account ${operation}` };
      const [best = []] = accounts
        .map(({ privileges }) => OPERATION_PRIVILEGES.filter((needed) => !privileges.includes(needed)))
        .toSorted((one, other) => one.length - other.length);
      return unless(best.length === 0, {
        found: `${operation} lacks ${best.join(', ')}`,
        expected: 'all that README lists',
      });
    }),
  },
  {
    code: 'ReplicationAccountMissing',
    group: 'servers',
    severity: 'bad',
    looksAt: 'the account in `replication.user`, on every server',
    why: 'after a failover to this server nobody could replicate from it',
    fix: 'CREATE USER and GRANT REPLICATION SLAVE on the primary; replicas get it from there',
    judge: eachServer((found) => {
      const { replication } = found.facts.declared.accounts;
      const can = ofUser(found, replication).some(({ privileges }) => privileges.includes('REPLICATION SLAVE'));
      return unless(can, {
        found: `no account ${replication} with REPLICATION SLAVE`,
        expected: `${replication} may replicate from every server`,
      });
    }),
  },
  {
    code: 'AckersLockedOut',
    group: 'servers',
    severity: 'warn',
    looksAt:
      '`MAX_USER_CONNECTIONS` of the accounts of applications, or `max_user_connections`, against `max_connections`, with `replication.mode: semisync`',
    why: 'with all replicas away, writes wait for an acknowledgement and fill every connection, and the replicas that come back are refused, until a watcher has made room for them, or a person comes',
    fix: "ALTER USER … WITH MAX_USER_CONNECTIONS on the primary, or max_user_connections in the server's files, so that each replica finds a connection",
    judge: eachServer(whetherApplicationsLeaveRoom),
  },
  {
    code: 'ReplicationAccountCanMore',
    group: 'servers',
    severity: 'warn',
    looksAt: 'global privileges of the account in `replication.user`',
    why: 'its password stands in clear in a file of every replica',
    fix: 'REVOKE on the primary all but REPLICATION SLAVE from the replication account',
    judge: eachServer((found) => {
      const more = ofUser(found, found.facts.declared.accounts.replication).flatMap(({ withinReach }) =>
        withinReach.filter((one) => !MAY_REPLICATE.includes(one)),
      );
      return unless(more.length === 0, { found: listed([...new Set(more)]), expected: 'REPLICATION SLAVE alone' });
    }),
  },
  {
    code: 'PrivilegedWriter',
    group: 'servers',
    severity: 'bad',
    looksAt:
      'accounts with `READ_ONLY ADMIN`, or `SUPER` where that is part of it, by themselves or by a role that they may take',
    why: 'it writes on a read-only server: on a replica, and on a primary that a switchover has closed',
    fix: 'REVOKE READ_ONLY ADMIN, SUPER on the primary from accounts of applications, and from the roles that they have; sessions that are open keep what they had: end them (KILL, or restart the application)',
    judge: eachServer((found) =>
      named(
        usable(found).filter(
          ({ name, user, withinReach }) =>
            withinReach.includes(WRITES_ANYWHERE) &&
            !OF_THE_HOST.includes(name) &&
            user !== found.facts.declared.accounts.operation,
        ),
        'the account of Standfast alone',
      ),
    ),
  },
  {
    code: 'AccountWithoutPassword',
    group: 'servers',
    severity: 'bad',
    looksAt: 'accounts that prove nothing, anonymous ones among them',
    why: 'whoever reaches the port is let in',
    fix: 'SET PASSWORD, ACCOUNT LOCK or DROP USER on the primary',
    judge: eachServer((found) =>
      named(
        usable(found).filter(({ proves }) => !proves),
        'a password, or no login, for every account',
      ),
    ),
  },
  {
    code: 'AccountFromAnywhere',
    group: 'servers',
    severity: 'warn',
    looksAt: 'accounts with SUPER, FILE or GRANT-like privileges from `%`',
    why: 'whoever learns its password, anywhere, owns the data',
    fix: "make it anew for the addresses that need it, such as 'NAME'@'10.0.0.%' (CREATE USER, the same GRANTs), move its clients, change what has it as DEFINER (information_schema: VIEWS, ROUTINES, TRIGGERS, EVENTS), and only then drop the old one; RENAME USER changes no DEFINER",
    judge: eachServer((found) =>
      named(
        usable(found).filter(
          ({ from, withinReach }) =>
            from === '%' && withinReach.some((one) => ['SUPER', 'FILE', 'CREATE USER', 'SHUTDOWN'].includes(one)),
        ),
        'powerful accounts from named networks only',
      ),
    ),
  },
];
