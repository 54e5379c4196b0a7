import { expect, test } from 'vitest';
import { coloured, plain } from '../../client/paint.ts';
import { renderStatus, renderStatusList } from '../../client/render-status.ts';
import { viewOf } from '../../client/status-view.ts';
import { shop, told } from '../domain/protected-shop.ts';
import { answers, channel, DB2, DB3, helper, records, replicaStatus, silence, witness } from '../domain/shop.ts';

const view = (...changes: Parameters<typeof shop>) => viewOf(shop(...changes));
const lines = (...text: readonly string[]): string => text.join('\n');

const delay = {
  ...{ cluster: 'shop', host: 'db2', at: '2025-01-01T02:59:59.900Z', gtidGap: 0, why: null },
  ...{ lag: { lagMs: 11.6, errorMs: 3 }, clock: null },
};

test('a sound cluster is a sentence, its hosts, who follows whom, what is known, and what is next', () => {
  expect(renderStatus(view({ runs: told({ delays: [delay] }) }), plain)).toBe(
    lines(
      'shop: protected: db2 and db3 can take over now without loss; last verified 12 s ago',
      '',
      '  HOST  ROLE     SERVER          VIP  FROM  IO       SQL      LAG    BEHIND  ACKS  RECORDS  TAKES OVER',
      '  db1   primary  accepts writes  VIP  -     -        -        -      -       -     sure     -',
      '  db2   replica  read-only       -    db1   running  running  12 ms  0 trx   yes   sure     without loss',
      '  db3   replica  read-only       -    db1   running  running  ?      0 trx   yes   sure     without loss',
      '',
      '  db1  primary, accepts writes, VIP',
      '  ├─ db2  read-only, acknowledges',
      '  └─ db3  read-only, acknowledges',
      '',
      '  primary    db1, on record since epoch 4 by 3 of 3 members',
      '  writes     lossless since epoch 4: each is acknowledged by 1 of db2, db3',
      '  health     3 of 3 hosts healthy; can lose 1',
      '  operation  none',
      '  verified   2025-01-01T02:59:48.000Z, ok (verify/shop/scheduled)',
      '  failover   none that Temporal remembers',
      '  watched    by one/17',
      '  seen       2025-01-01T03:00:00.000Z, by the clock of this machine',
      '',
      'next: standfast verify shop',
    ),
  );
});

test('what was not seen is a question mark, and told once with its reason', () => {
  const text = renderStatus(
    view({
      hosts: { db3: { helper: silence('silent', 'db3: no answer within 400 ms'), server: silence() } },
      runs: { reach: 'silent', why: 'Temporal does not answer at localhost:7233' },
    }),
    plain,
  );
  expect(text).toMatch(/\n {2}db3 +replica +silent( +\?){8} +no: it does not answer/);
  expect(text).toContain('\n  operation  ? (Temporal did not tell)');
  expect(text).toContain('\n  Temporal   Temporal does not answer at localhost:7233');
  expect(text).toContain('\n  primary    db1, on record since epoch 4 by 2 of 3 members');
  expect(text.match(/db3: no answer within 400 ms/g)).toHaveLength(2);
  expect(text).not.toContain('ReplicaDown');
});

test('a chain, a stranger at the edge, and a witness have their places', () => {
  const text = renderStatus(
    viewOf({
      ...shop({}),
      cluster: { ...shop({}).cluster, witnesses: ['w1'] },
      observation: {
        ...shop({}).observation,
        hosts: [
          ...shop({
            hosts: {
              db2: { server: answers(replicaStatus(DB2, { replication: channel({ source: 'db3' }) })) },
              db3: { helper: helper({ records: records({ standing: 'booted' }) }) },
            },
          }).observation.hosts,
          witness('w1'),
        ],
      },
    }),
    plain,
  );
  expect(text).toContain(
    lines(
      '  db1  primary, accepts writes, VIP',
      '  └─ db3  read-only, acknowledges',
      '     └─ db2  read-only, acknowledges',
    ),
  );
  expect(text).toMatch(/\n {2}w1 +witness( +-){8} +sure +-\n/);
  expect(text).toMatch(/\n {2}db3 .* booted /);
});

test('records that nobody confirmed since their host started are marked', () => {
  const db2 = { helper: helper({ records: records({ standing: 'sure', confirmed: false }) }) };
  const db3 = { helper: helper({ records: records({ standing: 'sure', confirmed: true }) }) };
  const text = renderStatus(view({ hosts: { db2, db3 } }), plain);
  expect(text).toMatch(/\n {2}db2 .* unconfirmed {2}without loss\n {2}db3 .* sure +without loss\n/);
});

test('replicas of each other are drawn once', () => {
  const follow = (source: string) => ({ replication: channel({ source }) });
  const hosts = {
    db2: { server: answers(replicaStatus(DB2, follow('db3'))) },
    db3: { server: answers(replicaStatus(DB3, follow('db2'))) },
  };
  const text = renderStatus(view({ hosts }), plain);
  expect(text).toContain('  db1  primary, accepts writes, VIP\n  db2  read-only, acknowledges\n  └─ db3  read-only');
});

test('what runs, and waits for a person, is told', () => {
  const run = { runId: 'r', since: '2025-01-01T02:00:00.000Z' };
  const operation = {
    ...run,
    type: 'failover',
    workflowId: 'operation/shop',
    phase: 'asks a person',
    asksPerson: true,
  };
  const copy = { ...run, type: 'provisionReplica', workflowId: 'provision/shop/db3', phase: null, asksPerson: false };
  const lastFailover = {
    workflowId: 'operation/shop',
    runId: 'f',
    at: '2024-12-31T00:00:00.000Z',
    outcome: 'failed-over',
  };
  const text = renderStatus(view({ runs: told({ operation, others: [copy], lastFailover, watcher: null }) }), plain);
  expect(text).toContain(
    '\n  operation  failover as operation/shop since 2025-01-01T02:00:00.000Z, at "asks a person": waits for a person',
  );
  expect(text).toContain('\n  beside it  provisionReplica as provision/shop/db3 since 2025-01-01T02:00:00.000Z');
  expect(text).toContain('\n  failover   2024-12-31T00:00:00.000Z, failed-over (operation/shop)');
  expect(text).toContain('\n  watched    by nobody: no failover starts by itself');
});

test('the colour of the sentence is its verdict', () => {
  const paint = coloured();
  const sound = view({});
  expect(renderStatus(sound, paint).split('\n')[0]).toBe(paint.good(sound.sentence));
  const unseen = view({ runs: { reach: 'silent', why: 'x' } });
  expect(renderStatusList([unseen], paint)).toContain(paint.warn(unseen.sentence));
});
