import { OPERATION_PRIVILEGES } from '../accounts.ts';
import type { AccountFacts } from './facts.ts';
import type { Judgement, Rule, ServerCase } from './rule.ts';
import { eachServer, listed, unless } from './rule.ts';

/** What lets an account write on a server that is read-only. Source: MariaDB KB, read_only. */
const WRITES_ANYWHERE = 'READ_ONLY ADMIN';
/** Of the installation itself: only whoever is root or mysql on the host can use them. */
const OF_THE_HOST = ['root@localhost', 'mysql@localhost', 'mariadb.sys@localhost'];
const MAY_REPLICATE = ['REPLICATION SLAVE', 'CONNECTION ADMIN', 'REPLICA MONITOR', 'SLAVE MONITOR', 'USAGE'];

const usable = ({ server }: ServerCase): readonly AccountFacts[] => server.accounts.filter(({ locked }) => !locked);
const ofUser = (found: ServerCase, user: string): readonly AccountFacts[] =>
  usable(found).filter((account) => account.user === user);

const named = (accounts: readonly AccountFacts[], expected: string): Judgement =>
  accounts.length === 0 ? null : { found: listed(accounts.map(({ name }) => name)), expected };

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
    looksAt: '`CONNECTION ADMIN` of the account in `replication.user`',
    why: 'replicas that come back are refused by a primary whose connections all wait for their acknowledgement, and nothing ends that but a person',
    fix: 'GRANT CONNECTION ADMIN on the primary to the replication account: a full server keeps one connection more for it',
    judge: eachServer((found) => {
      const own = ofUser(found, found.facts.declared.accounts.replication);
      const getsIn = own.length === 0 || own.some(({ privileges }) => privileges.includes('CONNECTION ADMIN'));
      return unless(getsIn, { found: 'no CONNECTION ADMIN', expected: 'CONNECTION ADMIN' });
    }),
  },
  {
    code: 'ReplicationAccountCanMore',
    group: 'servers',
    severity: 'warn',
    looksAt: 'global privileges of the account in `replication.user`',
    why: 'its password stands in clear in a file of every replica',
    fix: 'REVOKE on the primary all but REPLICATION SLAVE and CONNECTION ADMIN from the replication account',
    judge: eachServer((found) => {
      const more = ofUser(found, found.facts.declared.accounts.replication).flatMap(({ withinReach }) =>
        withinReach.filter((one) => !MAY_REPLICATE.includes(one)),
      );
      return unless(more.length === 0, {
        found: listed([...new Set(more)]),
        expected: 'REPLICATION SLAVE and CONNECTION ADMIN alone',
      });
    }),
  },
  {
    code: 'PrivilegedWriter',
    group: 'servers',
    severity: 'bad',
    looksAt:
      'accounts with `READ_ONLY ADMIN`, or `SUPER` where that is part of it, by themselves or by a role that they may take',
    why: 'it writes on a read-only server: on a replica, and on a primary that a switchover has closed',
    fix: 'REVOKE READ_ONLY ADMIN, SUPER on the primary from accounts of applications, and from the roles that they have',
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
    fix: "RENAME USER to the addresses that need it, such as 'NAME'@'10.0.0.%'",
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
