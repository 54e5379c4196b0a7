import { faultsOfWaiting } from '../acknowledgement.ts';
import { judgeLikeness } from '../likeness.ts';
import { filteringExample, replicaFilterExample } from './filters.ts';
import type { ServerCase } from './rule.ts';
import type { Judgement, Rule } from './rule.ts';
import { amongServers, eachByRole, eachReplica, eachServer, unless, withSetting } from './rule.ts';

const DAY = 86_400;
const onOff = (value: boolean): string => (value ? 'ON' : 'OFF');
const duration = (seconds: number): string =>
  seconds >= 2 * DAY
    ? `${String(Math.round((seconds / DAY) * 10) / 10)} days`
    : `${String(Math.round(seconds / 360) / 10)} h`;

/** One series of releases can feed another only when the receiving one is not older. */
function judgeVersions({ host, server, facts }: ServerCase, others: readonly ServerCase[]): Judgement {
  const [first] = others;
  if (first === undefined) return null;
  const wanted = others.find((other) => facts.primary.kind === 'seen' && other.host === facts.primary.value) ?? first;
  const likeness = judgeLikeness({
    target: host,
    primary: wanted.host,
    found: server.status,
    wanted: wanted.server.status,
  });
  const version = likeness.find(({ code }) => code === 'version');
  return version === undefined
    ? null
    : {
        found: server.status.version,
        expected: `the release series of ${wanted.host} (${wanted.server.status.version})`,
      };
}

const judgeSame =
  (code: string, of: (found: ServerCase) => string) =>
  ({ host, server, facts }: ServerCase, others: readonly ServerCase[]): Judgement => {
    const differs = others.find((other) =>
      judgeLikeness({ target: host, primary: other.host, found: server.status, wanted: other.server.status }).some(
        (one) => one.code === code,
      ),
    );
    return differs === undefined
      ? null
      : { found: of({ host, server, facts }), expected: `${of(differs)}, as on ${differs.host}` };
  };

/** How long a server writes, keeps and forgets, and what makes it unlike the others. */
export const SETTING_RULES: readonly Rule[] = [
  {
    code: 'BinlogOff',
    group: 'servers',
    severity: 'bad',
    looksAt: '`log_bin`',
    why: 'without a binary log nobody can follow this server, so it can never become primary',
    fix: 'put log_bin=mariadb-bin into the configuration of HOST and restart it',
    judge: eachServer(({ server }) =>
      unless(server.status.binlog.enabled, { found: 'log_bin=OFF', expected: 'log_bin=ON' }),
    ),
  },
  {
    code: 'BinlogNotSynced',
    group: 'servers',
    severity: 'bad',
    looksAt: '`sync_binlog`',
    why: 'what was committed is missing from the binary log after a power cut, and replicas may have more than their primary',
    fix: 'SET GLOBAL sync_binlog=1 on HOST, and put it into its configuration',
    judge: eachServer(({ server: { status } }) =>
      unless(status.binlog.sync === 1, {
        found: `sync_binlog=${String(status.binlog.sync)}`,
        expected: 'sync_binlog=1',
      }),
    ),
  },
  {
    code: 'CommitNotFlushed',
    group: 'servers',
    severity: 'bad',
    looksAt: '`innodb_flush_log_at_trx_commit`',
    why: 'a power cut takes up to a second of committed transactions',
    fix: 'SET GLOBAL innodb_flush_log_at_trx_commit=1 on HOST, and put it into its configuration',
    judge: eachServer(({ server: { status } }) =>
      unless(status.flushLogAtCommit === 1, {
        found: `innodb_flush_log_at_trx_commit=${String(status.flushLogAtCommit)}`,
        expected: 'innodb_flush_log_at_trx_commit=1',
      }),
    ),
  },
  {
    code: 'BinlogFormat',
    group: 'servers',
    severity: 'bad',
    looksAt: '`binlog_format`',
    why: 'a statement that is carried out again can change other rows on a replica',
    fix: 'SET GLOBAL binlog_format=ROW on HOST, and put it into its configuration; sessions that are open keep what they had: end them (KILL, or restart the application)',
    judge: eachServer(({ server: { status } }) =>
      unless(status.binlog.format === 'ROW', {
        found: `binlog_format=${status.binlog.format}`,
        expected: 'binlog_format=ROW',
      }),
    ),
  },
  {
    code: 'ReplicatedNotLogged',
    group: 'servers',
    severity: 'bad',
    looksAt: '`log_slave_updates`',
    why: 'after its promotion the others cannot get from it what it had received as a replica',
    fix: 'put log_slave_updates=1 into the configuration of HOST and restart it',
    judge: eachServer(({ server: { status } }) =>
      unless(status.binlog.logsReplicated, { found: 'log_slave_updates=OFF', expected: 'log_slave_updates=ON' }),
    ),
  },
  {
    code: 'BinlogFiltered',
    group: 'servers',
    severity: 'bad',
    looksAt: '`binlog_do_db`, `binlog_ignore_db`',
    why: 'what the filter drops is on no replica and in no binary log, and nobody is told',
    fix: 'take the filter out of the configuration of HOST and restart it, then provision its replicas again, one at a time (docs/audit.md, Rules; standfast acker remove first)',
    judge: eachServer(({ server }) => {
      const example = filteringExample(server.binlogFilters, server.status.binlog.format);
      return example === null ? null : { found: example, expected: 'no filter: replicas hold everything' };
    }),
  },
  {
    code: 'ReplicationFiltered',
    group: 'servers',
    severity: 'bad',
    looksAt: 'every `replicate_*` filter of a replica',
    why: 'a replica that leaves something out cannot stand in for its primary',
    fix: 'take the filter out of the configuration of HOST, and provision it again (docs/audit.md, Rules): first standfast acker remove CLUSTER HOST',
    judge: eachReplica(({ server: { status } }) => {
      const filters = status.replication?.filters ?? [];
      return filters.length === 0 ? null : { found: replicaFilterExample(filters), expected: 'no filter' };
    }),
  },
  {
    code: 'BinlogRetention',
    group: 'servers',
    severity: 'bad',
    looksAt: '`binlog_expire_logs_seconds`, `expire_logs_days` against `policy.continuity.outage`',
    why: 'a replica that comes back later finds its place in the binary log gone, and has to be provisioned again',
    fix: 'raise binlog_expire_logs_seconds on HOST (the disk must hold as much), or lower policy.continuity.outage',
    judge: eachServer(({ server, facts: { declared } }) =>
      withSetting(server.settings, 'binlog_expire_logs_seconds', (value) => {
        const kept = Number(value);
        return unless(!server.status.binlog.enabled || kept === 0 || kept >= declared.outageSeconds, {
          found: `binary logs are removed after ${duration(kept)}`,
          expected: `kept for at least ${duration(declared.outageSeconds)}`,
        });
      }),
    ),
  },
  {
    code: 'SemiSyncMode',
    group: 'servers',
    severity: 'bad',
    looksAt: 'semi-sync on the primary against `replication.mode`',
    why: 'the declared mode promises that an acknowledged write is on a replica too',
    fix: 'standfast prepare CLUSTER HOST, or declare replication.mode: async',
    judge: eachByRole(({ server: { status }, facts: { cluster } }, isPrimary) => {
      if (!isPrimary || cluster.mode !== 'semisync') return null;
      const faults = faultsOfWaiting(status.semiSync);
      return unless(faults.length === 0, {
        found: faults.join('; '),
        expected: 'semisync: it waits for an acknowledgement of every write',
      });
    }),
  },
  {
    code: 'VersionsDiffer',
    group: 'servers',
    severity: 'bad',
    looksAt: 'release series of the servers',
    why: 'an older server cannot follow a newer one, so a failover to the newer one cannot be taken back',
    fix: 'bring all servers to one release series, replicas first',
    judge: amongServers(judgeVersions),
  },
  {
    code: 'TimeZonesDiffer',
    group: 'servers',
    severity: 'warn',
    looksAt: '`time_zone`, `system_time_zone`',
    why: 'after a failover the same moment would be written as another time of day',
    fix: 'put one default_time_zone into the configuration of all servers, or set the zone of all hosts to one, and restart them; after SET GLOBAL time_zone sessions that are open keep what they had: end them (KILL, or restart the application)',
    judge: amongServers(judgeSame('setting:time_zone', ({ server }) => server.status.timeZone)),
  },
  {
    code: 'TableNamesDiffer',
    group: 'servers',
    severity: 'bad',
    looksAt: '`lower_case_table_names`',
    why: 'the same statement would find other tables after a failover',
    fix: 'provision HOST again with the lower_case_table_names of the primary (docs/audit.md, Rules): first standfast acker remove CLUSTER HOST',
    judge: amongServers(
      judgeSame('setting:lower_case_table_names', ({ server }) => String(server.status.lowerCaseTableNames)),
    ),
  },
  {
    code: 'EventsOnReplica',
    group: 'servers',
    severity: 'bad',
    looksAt: '`event_scheduler` of replicas',
    why: 'its events would write on a replica beside its primary, and make transactions that nobody else has',
    fix: 'SET GLOBAL event_scheduler=OFF on HOST; standfast prepare writes that into its configuration',
    judge: eachByRole(({ server: { status } }, isPrimary) =>
      unless(isPrimary || !status.eventScheduler, {
        found: `event_scheduler=${onOff(status.eventScheduler)}`,
        expected: 'event_scheduler=OFF on every server but the primary',
      }),
    ),
  },
];
