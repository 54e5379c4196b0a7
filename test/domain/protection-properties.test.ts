import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunsAnswer } from '../../domain/cluster-runs.ts';
import type { HostObservation, ServerStatus } from '../../domain/observation.ts';
import { isAnswering } from '../../domain/observation.ts';
import { judgeProtection } from '../../domain/protection.ts';
import { PRIMARY, told } from './protected-shop.ts';
import { ACKNOWLEDGING, answers, channel, DB2, DB3, helper, records, replicaStatus, SHOP, silence } from './shop.ts';

/** Sound most of the time, so that many cases have one or two faults. */
const mostly = <T>(sound: T, ...faults: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(sound) }, { weight: 1, arbitrary: fc.constantFrom(...faults) });

const anyHelper = (holdsVip: boolean) =>
  fc
    .record({
      holdsVip: mostly(holdsVip, !holdsVip),
      mysqld: mostly<'running' | 'stopped'>('running', 'stopped'),
      records: mostly(
        records(),
        records({ standing: 'booted' }),
        records({ standing: 'blank' }),
        records({ primary: { epoch: 5, host: 'db2' } }),
        records({ sync: null }),
        records({ fenced: true }),
      ),
    })
    .chain((facts) => mostly(helper(facts), silence(), silence('denied')));

const anyServer = (sound: fc.Arbitrary<ServerStatus>) =>
  sound.chain((status) => mostly(answers(status), silence(), silence('refused'), silence('full'), silence('lost')));

const anyPrimary = fc
  .record({
    readOnly: mostly(false, true),
    semiSync: mostly(
      PRIMARY.semiSync,
      { ...PRIMARY.semiSync, attached: [2] },
      { ...PRIMARY.semiSync, clients: 3, attached: [2, 3, 9] },
      { ...PRIMARY.semiSync, primaryEnabled: false },
      { ...PRIMARY.semiSync, timeoutMs: '1000' },
    ),
  })
  .map((changes) => ({ ...PRIMARY, ...changes }));

const anyReplica = (host: typeof DB2) =>
  fc
    .record({
      readOnly: mostly(true, false),
      semiSync: mostly(ACKNOWLEDGING, { ...ACKNOWLEDGING, replicaActive: false }),
      replication: mostly(
        channel(),
        channel({ receiver: 'stopped' }),
        channel({ applier: 'stopped' }),
        channel({ source: 'db9' }),
        null,
      ),
      binlogState: mostly('0-1-100', '0-1-99', `0-1-100,0-${String(host.serverId)}-101`),
    })
    .map((changes) =>
      replicaStatus(host, {
        ...changes,
        appliedPosition: changes.binlogState === '0-1-99' ? '0-1-99' : '0-1-100',
        replication:
          changes.replication === null || changes.binlogState !== '0-1-99'
            ? changes.replication
            : { ...changes.replication, received: '0-1-99' },
      }),
    );

const hearing = mostly<boolean | null>(null, true, false);

const anyHosts: fc.Arbitrary<readonly HostObservation[]> = fc.tuple(
  fc.record({ host: fc.constant('db1'), helper: anyHelper(true), server: anyServer(anyPrimary), hearsSource: hearing }),
  fc.record({
    host: fc.constant('db2'),
    helper: anyHelper(false),
    server: anyServer(anyReplica(DB2)),
    hearsSource: hearing,
  }),
  fc.record({
    host: fc.constant('db3'),
    helper: anyHelper(false),
    server: anyServer(anyReplica(DB3)),
    hearsSource: hearing,
  }),
);

const operation = {
  type: 'failover',
  workflowId: 'operation/shop',
  runId: 'r',
  since: '2025-01-01T02:59:00.000Z',
  phase: null,
  asksPerson: false,
};
const anyRuns: fc.Arbitrary<RunsAnswer> = mostly<RunsAnswer>(
  told(),
  { reach: 'silent', why: 'it is away' },
  told({ operation }),
);

const judge = (hosts: readonly HostObservation[], runs: RunsAnswer) =>
  judgeProtection({ cluster: SHOP, observation: { cluster: 'shop', at: '2025-01-01T03:00:00.000Z', hosts }, runs });

/** What has to be seen before anybody may call it protected, written down without the code that judges. */
function isSoundAsFarAsSeen(hosts: readonly HostObservation[], runs: RunsAnswer): boolean {
  const everybodySaidSomething = hosts.every(
    (one) => isAnswering(one.helper) && (isAnswering(one.server) || one.helper.mysqld === 'stopped'),
  );
  const holders = hosts.filter((one) => isAnswering(one.helper) && one.helper.holdsVip).map((one) => one.host);
  const writers = hosts.filter((one) => isAnswering(one.server) && !one.server.status.readOnly).map((one) => one.host);
  const ready = hosts.filter(
    ({ server }) =>
      isAnswering(server) &&
      server.status.readOnly &&
      server.status.semiSync.replicaActive &&
      server.status.replication?.receiver === 'running' &&
      server.status.replication.applier === 'running' &&
      server.status.replication.received === '0-1-100',
  );
  return (
    everybodySaidSomething &&
    runs.reach === 'answers' &&
    runs.runs.operation === null &&
    holders.join() === 'db1' &&
    writers.join() === 'db1' &&
    ready.length > 0
  );
}

it('is never called protected when anything that decides was not seen, or contradicts it', () => {
  let protectedOnes = 0;
  fc.assert(
    fc.property(anyHosts, anyRuns, (hosts, runs) => {
      if (judge(hosts, runs).state !== 'protected') return;
      protectedOnes += 1;
      expect(isSoundAsFarAsSeen(hosts, runs)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  // Of cases that are never protected it would say nothing.
  expect(protectedOnes).toBeGreaterThan(30);
});

it('is judged alike in whatever order the hosts are told', () => {
  fc.assert(
    fc.property(anyHosts, anyRuns, (hosts, runs) => {
      expect(judge([...hosts].reverse(), runs).state).toBe(judge(hosts, runs).state);
    }),
  );
});

it('always has a sentence that begins with the cluster and its state, and something to do next', () => {
  fc.assert(
    fc.property(anyHosts, anyRuns, (hosts, runs) => {
      const { sentence, next, reasons, state } = judge(hosts, runs);
      expect(sentence).toMatch(/^shop: (protected|NOT PROTECTED|NOT KNOWN): \S/);
      expect(next).not.toBe('');
      expect(reasons.length === 0).toBe(state === 'protected');
    }),
  );
});
