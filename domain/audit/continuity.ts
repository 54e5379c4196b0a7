import { describeHost } from '../cluster.ts';
import type { AuditFacts, Proof } from './facts.ts';
import type { Judgement, Rule } from './rule.ts';
import { databases, eachByRole, ruled, unless, withSeen } from './rule.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

export const age = (seconds: number): string => {
  if (seconds < HOUR) return `${String(Math.round(seconds / 60))} min`;
  return seconds < 2 * DAY ? `${String(Math.round(seconds / HOUR))} h` : `${String(Math.round(seconds / DAY))} days`;
};

/** By the clock of Temporal's answer and the worker's: both are right to the second, and this is about minutes. */
function judgeAge(facts: AuditFacts, of: (proof: Proof) => string | null, limit: number): Judgement {
  return withSeen(facts.proof, 'what Temporal remembers', (proof) => {
    const at = of(proof);
    const seconds = at === null ? null : (Date.parse(facts.at) - Date.parse(at)) / 1_000;
    return unless(seconds !== null && seconds <= limit, {
      found: seconds === null ? 'never, as far as Temporal remembers' : `${age(seconds)} ago`,
      expected: `within ${age(limit)}`,
    });
  });
}

/** A standby is not a backup and a backup is not a standby: one forgets nothing that was deleted, the other takes hours. */
export const CONTINUITY_RULES: readonly Rule[] = [
  {
    code: 'NotInCare',
    group: 'continuity',
    severity: 'warn',
    looksAt: 'records of the members: who is primary',
    why: 'without a record nobody can prove who may be promoted, so no failover is possible',
    fix: 'standfast prepare CLUSTER PRIMARY',
    judge: ({ cluster, primary, isRecorded }) => [
      ruled(
        cluster.cluster,
        withSeen(primary, 'who is primary', (host) =>
          unless(isRecorded, {
            found: `${host} by what the servers say; nothing is recorded`,
            expected: 'a record on a majority',
          }),
        ),
      ),
    ],
  },
  {
    code: 'NoBackup',
    group: 'continuity',
    severity: 'warn',
    looksAt: '`backup.path` of the cluster',
    why: 'a standby is not a backup: a DROP TABLE is on every replica within a second',
    fix: 'make backups, and name their folder on the database hosts as backup.path in the inventory',
    judge: ({ cluster, declared }) => [
      ruled(
        cluster.cluster,
        unless(declared.backup !== null, { found: 'no backup is declared', expected: 'backup.path' }),
      ),
    ],
  },
  {
    code: 'BackupOld',
    group: 'continuity',
    severity: 'bad',
    looksAt: 'newest file at `backup.path` of any database host, against `backup.within`',
    why: 'whatever was written since is lost with a mistake that replicates',
    fix: 'look why the backup does not run',
    judge: (facts) => {
      const { declared, cluster } = facts;
      if (declared.backup === null) return [];
      const { path, withinSeconds } = declared.backup;
      const looked = databases(facts);
      const newest = looked
        .flatMap(({ host, backup }) =>
          backup.kind === 'seen' && backup.value.newest !== null ? [{ host, ...backup.value.newest }] : [],
        )
        .toSorted((one, other) => one.ageSeconds - other.ageSeconds)[0];
      if (newest !== undefined && newest.ageSeconds <= withinSeconds && newest.bytes > 0)
        return [ruled(cluster.cluster, null)];
      const blind = looked.find(({ backup }) => backup.kind === 'not-seen');
      if (blind?.backup.kind === 'not-seen')
        return [ruled(cluster.cluster, { unseen: `backups on ${blind.host}`, why: blind.backup.why })];
      const found =
        newest === undefined
          ? `nothing at ${path} on any host`
          : `${newest.file} on ${newest.host}, ${String(newest.bytes)} bytes, ${age(newest.ageSeconds)} old`;
      return [ruled(cluster.cluster, { found, expected: `one of the last ${age(withinSeconds)} that is not empty` })];
    },
  },
  {
    code: 'NoStandby',
    group: 'continuity',
    severity: 'bad',
    looksAt: 'replicas that follow the primary',
    why: 'a backup is not a standby: restoring it takes hours, and ends where it began',
    fix: 'standfast provision CLUSTER HOST',
    judge: (facts) => {
      const { primary } = facts;
      if (primary.kind === 'not-seen')
        return [ruled(facts.cluster.cluster, { unseen: 'who is primary', why: primary.why })];
      const followers = databases(facts).filter(({ server }) => {
        const replication = server.kind === 'seen' ? server.value.status.replication : null;
        return replication?.receiver === 'running' && replication.source === primary.value;
      });
      const blind = databases(facts).find(({ server }) => server.kind === 'not-seen');
      if (followers.length > 0) return [ruled(facts.cluster.cluster, null)];
      return [
        ruled(
          facts.cluster.cluster,
          blind?.server.kind === 'not-seen'
            ? { unseen: `whether ${blind.host} is a standby`, why: blind.server.why }
            : { found: 'no server follows the primary', expected: 'at least one standby' },
        ),
      ];
    },
  },
  {
    code: 'NobodyPromotable',
    group: 'continuity',
    severity: 'bad',
    looksAt: '`promotable` of the other hosts in the inventory',
    why: 'when the primary dies, every failover is refused: whoever is left is never promoted',
    fix: 'provision a replica where the VIP can be, or take promotable: false from one of the others',
    judge: ({ cluster: { cluster, hosts }, primary }) => {
      if (primary.kind === 'not-seen') return [ruled(cluster, { unseen: 'who is primary', why: primary.why })];
      const others = hosts.filter(({ name }) => name !== primary.value);
      const found = `promotable: false on ${others.map(({ name }) => name).join(', ')}`;
      const isMet = others.length === 0 || others.some(({ promotable }) => promotable);
      return [ruled(cluster, unless(isMet, { found, expected: 'another host that may be promoted' }))];
    },
  },
  {
    code: 'PrimaryNotPromotable',
    group: 'continuity',
    severity: 'warn',
    looksAt: '`promotable` of the primary in the inventory',
    why: 'the inventory says that it is never made primary, as of a host where the VIP cannot be, and it is the primary',
    fix: 'take promotable: false of HOST out of the inventory for as long as it is the primary; the way to another host is a failover, with an outage of some seconds: stop the server of HOST, then standfast failover CLUSTER',
    judge: eachByRole(({ host, facts: { cluster } }, isPrimary) =>
      unless(!isPrimary || describeHost(cluster, host).promotable, {
        found: 'promotable: false on the primary',
        expected: 'a primary that may be promoted',
      }),
    ),
  },
  {
    code: 'LosslessWithoutAckers',
    group: 'continuity',
    severity: 'bad',
    looksAt: 'replicas that acknowledge, with `replication.mode: semisync`',
    why: 'what is acknowledged is on one server alone, or is not acknowledged at all',
    fix: 'standfast acker add CLUSTER HOST, or standfast provision',
    judge: eachByRole(({ server: { status }, facts: { cluster } }, isPrimary) =>
      unless(!isPrimary || cluster.mode !== 'semisync' || status.semiSync.clients > 0, {
        found: 'no replica acknowledges',
        expected: 'at least one',
      }),
    ),
  },
  {
    code: 'NotVerified',
    group: 'continuity',
    severity: 'warn',
    looksAt: 'last verification that was not bad, against `policy.continuity.verified`',
    why: 'replication that stopped unnoticed is the usual way to lose data in a failover',
    fix: 'standfast schedule apply CLUSTER; standfast verify CLUSTER',
    judge: (facts) => [
      ruled(
        facts.cluster.cluster,
        judgeAge(facts, ({ verifiedAt }) => verifiedAt, facts.declared.verifiedWithinSeconds),
      ),
    ],
  },
  {
    code: 'NeverTested',
    group: 'continuity',
    severity: 'warn',
    looksAt: 'last failover, against `policy.continuity.tested`',
    why: 'a failover that was not tried is a hope',
    fix: 'fail over on a quiet day: stop the server of the primary, and standfast failover CLUSTER',
    judge: (facts) => [
      ruled(
        facts.cluster.cluster,
        judgeAge(facts, ({ failedOverAt }) => failedOverAt, facts.declared.failedOverWithinSeconds),
      ),
    ],
  },
];
