import { NOTHING_TO_SALVAGE } from '../../domain/tail.ts';
import { expect, test } from 'vitest';
import { StandfastError } from '../../client/errors.ts';
import { coloured, plain } from '../../client/paint.ts';
import { renderError } from '../../client/render-error.ts';
import { renderBytes, renderDuration } from '../../client/render-quantities.ts';
import { renderFailover, renderPrepare, renderProvision } from '../../client/render-results.ts';
import { renderApplied, renderPlan, renderSchedules } from '../../client/render-schedules.ts';
import { renderVerdict } from '../../client/render-verdict.ts';
import { failedOver } from './failover-result.ts';
import { broken, healthy } from './verdicts.ts';

const lines = (...text: readonly string[]): string => text.join('\n');

test('a good verdict is a sentence and its hosts', () => {
  expect(renderVerdict(healthy, plain)).toBe(
    lines(
      'ok: 3 of 3 hosts healthy; can lose 1',
      '',
      '  HOST  ROLE            IO       SQL      LAG     BEHIND  WRITES    VIP',
      '  db1   primary         -        -        -       -       accepted  VIP',
      '  db2   replica of db1  running  running  12 ms   0 trx   refused   -',
      '  db3   replica of db1  running  running  104 ms  3 trx   refused   -',
    ),
  );
});

test('a bad verdict says what is not known, and the fix of each finding', () => {
  expect(renderVerdict(broken, plain)).toBe(
    lines(
      'BAD: 2 of 3 hosts healthy: the IO thread of db3 is stopped',
      '',
      '  HOST  ROLE               IO       SQL      LAG    BEHIND  WRITES    VIP',
      '  db1   primary            -        -        -      -       accepted  -',
      '  db2   replica of db1     running  running  12 ms  0 trx   refused   -',
      '  db3   replica of nobody  unknown  unknown  ?      ?       ?         -',
      '',
      'BAD db1 VipNowhere: no host that answers holds the VIP',
      '  fix: standfast prepare shop db1',
      '',
      'warning db2 LagHigh: db2 lags 1500 ms, more than 1000 ms',
      '  fix: look at its load and at long transactions',
    ),
  );
});

test('a replica that is never promoted is shown as that', () => {
  const replicas = healthy.replicas.map((one) => (one.host === 'db3' ? { ...one, neverPromoted: true } : one));
  const text = renderVerdict({ ...healthy, replicas }, plain);
  expect(text).toMatch(/db3 +replica of db1, never promoted /);
  expect(text).not.toMatch(/db2 +replica of db1, never/);
});

test('a primary that refuses writes, or is down, is not shown as writable', () => {
  const finding = { severity: 'bad', host: 'db1', explains: 'x', remedy: 'y' } as const;
  const closed = renderVerdict({ ...healthy, findings: [{ ...finding, code: 'PrimaryClosed' }] }, plain);
  expect(closed).toContain('REFUSED');
  const down = renderVerdict({ ...healthy, findings: [{ ...finding, code: 'PrimaryDown' }] }, plain);
  expect(down).toMatch(/db1 +primary( +-){4} +\? /);
});

test('a failover tells the change, the proof, the votes, the loss, and where a worker was lost', () => {
  expect(renderFailover(failedOver, plain)).toBe(
    lines(
      'db2 is the primary of shop; no acknowledged write was lost',
      '',
      '  primary:  db1 -> db2 (epoch 7)',
      "  why:      the primary's host answers and no database server runs on it (PrimaryProcessDead)",
      '  fence:    db1 stopped and shut off over SSH: process gone, port 3306 refused',
      '  loss:     none: 2 of 2 recorded ackers contribute (db2, db3), 2 needed',
      '  took:     2.8 s',
      '',
      'votes:',
      '  db2 received 0-1-120; elected',
      '  db3 received 0-1-118; barred: its disk is full',
      '',
      '  TIME (UTC)    STEP     HOST  TOOK   OUTCOME',
      '  03:00:07.100  observe  -     12 ms  done',
      '  03:00:07.120  fence    db1   40 ms  port refused',
      '  -- worker control/100 was lost or gave up; control/200 went on here (attempt 2)',
      '  03:00:08.400  elect    -     40 ms  done',
      '  03:00:08.500  open     db2   40 ms  done',
      '  03:00:08.540  vip      db2   1.3 s  done',
      '',
      `afterwards: ${renderVerdict(healthy, plain)}`,
    ),
  );
});

test('a phase whose first attempt left no step is marked too', () => {
  const timeline = failedOver.timeline.slice(2);
  expect(renderFailover({ ...failedOver, timeline }, plain)).toContain(
    '  -- the attempt before did not end; control/200 went on here (attempt 2)\n  03:00:08.400  elect',
  );
});

test('a lossy failover says what is missing', () => {
  const gtids = ['0-1-121', '0-1-122'];
  const quarantined = { count: 2, gtids };
  const salvage = { ...NOTHING_TO_SALVAGE, quarantined, folder: '/var/lib/standfast/quarantine/7-binlog' };
  const loss = { lossless: false, explains: 'kept aside', lost: quarantined, missing: '0-1-122', salvage };
  const text = renderFailover({ ...failedOver, loss }, plain);
  expect(text).toContain('  loss:     LOSSY: kept aside; 2 transactions, up to 0-1-122\n');
  expect(text).toContain('kept aside in /var/lib/standfast/quarantine/7-binlog on the old primary: 2 transactions');
  expect(renderFailover({ ...failedOver, loss: { ...loss, lost: null } }, plain)).toContain('how much is not known');
});

test('a failover that opened the old primary again shows no decision', () => {
  const alike = { decision: null, loss: null, verdict: null, timeline: [], newPrimary: 'db1' };
  const result = { ...failedOver, ...alike, outcome: 'reopened', sentence: 'db1 accepts writes again' } as const;
  expect(renderFailover(result, plain)).toBe(
    lines('db1 accepts writes again', '', '  primary:  db1, as before (epoch 7)', '  took:     0 ms'),
  );
});

test('a provision tells what was copied and proven', () => {
  const text = renderProvision(
    {
      outcome: 'admitted',
      cluster: 'shop',
      host: 'db3',
      donor: 'db1',
      bytes: 312_400_000,
      snapshot: '0-1-90',
      checksum: { tables: 12, position: '0-1-99' },
      timeline: failedOver.timeline.slice(0, 1),
      sentence: 'db3 is a replica of shop',
    },
    plain,
  );
  expect(text).toBe(
    lines(
      'db3 is a replica of shop',
      '',
      '  copied:   312.4 MB from db1, consistent at 0-1-90',
      '  proven:   12 tables compared row by row at 0-1-99',
      '  took:     12 ms',
      '',
      '  TIME (UTC)    STEP     HOST  TOOK   OUTCOME',
      '  03:00:07.100  observe  -     12 ms  done',
    ),
  );
});

test('a prepared primary that runs async says what that means', () => {
  const result = {
    outcome: 'open',
    cluster: 'shop',
    host: 'db1',
    epoch: { number: 1, run: 'r' },
    mode: 'async',
    timeline: [],
    sentence: 'db1 is the primary of shop',
  } as const;
  expect(renderPrepare(result, plain)).toBe(
    lines(
      'db1 is the primary of shop',
      '',
      '  primary:  db1 (epoch 1)',
      '  mode:     async: the loss of the primary can lose writes',
    ),
  );
});

test('events that are left off are named, with the statement for each', () => {
  const events = {
    ...{ enabled: ['shop.hourly', 'shop.daily'], disabled: ['shop.purge'] },
    leftOff: [{ event: 'shop.once', why: 'its instant has passed', statement: 'ALTER DEFINER … ENABLE' }],
  };
  expect(renderFailover({ ...failedOver, events }, plain)).toContain(
    [
      '  events:   running again: shop.hourly, shop.daily; as disabled as before: shop.purge; 1 LEFT OFF',
      '            shop.once: its instant has passed',
      '              on the primary: ALTER DEFINER … ENABLE',
      '  took:',
    ].join('\n'),
  );
  const nothing = { enabled: [], disabled: [], leftOff: [] };
  expect(renderFailover({ ...failedOver, events: { ...nothing, fault: 'db2 is closed' } }, plain)).toContain(
    '  events:   db2 is closed\n',
  );
  expect(renderFailover({ ...failedOver, events: nothing }, plain)).toBe(renderFailover(failedOver, plain));
});

test('an error says what was undone, what was not, and who holds the cluster', () => {
  const runningOperation = {
    type: 'failover',
    workflowId: 'operation/shop',
    runId: 'r-1',
    since: '2026-03-02T03:00:00.000Z',
  };
  const facts = { changed: true, undone: ['receivers of db2'], notUndone: ['fence of db1'] };
  const failure = new StandfastError({
    type: 'Unsafe',
    message: 'no replica holds everything',
    facts,
    runningOperation,
  });
  expect(renderError(failure, plain)).toBe(
    lines(
      'error (Unsafe): no replica holds everything',
      '  undone: receivers of db2',
      '  NOT undone: fence of db1',
      '  a person is needed: look at the hosts before anything else is started',
      '  running: failover as operation/shop (run r-1, since 2026-03-02T03:00:00.000Z)',
    ),
  );
});

test('an error that left everything alone says so once', () => {
  const failure = (message: string) => new StandfastError({ type: 'Unsafe', message, facts: { changed: false } });
  expect(renderError(failure('no'), plain)).toBe('error (Unsafe): no\n  nothing was changed');
  expect(renderError(failure('no; nothing was changed'), plain)).toBe('error (Unsafe): no; nothing was changed');
});

test('schedules are a table with what came of them, or the command that makes some', () => {
  const schedule = {
    scheduleId: 'standfast-verify-shop',
    kind: 'verify',
    cluster: 'shop',
    fileset: null,
    everySeconds: 60,
    paused: false,
    note: 'moving the racks',
    nextRunAt: '2026-03-02T03:01:00.000Z',
    lastRun: { workflowId: 'w', runId: 'r', dueAt: '2026-03-02T03:00:00.000Z', status: 'completed', outcome: 'ok' },
    missed: 3,
    skipped: 0,
    runsPage: null,
  } as const;
  const paused = { ...schedule, paused: true, lastRun: null, everySeconds: null };
  expect(renderSchedules([schedule, paused], plain)).toBe(
    lines(
      '  SCHEDULE               EVERY          LAST DUE                  VERDICT  NEXT RUN                  MISSED  SKIPPED',
      '  standfast-verify-shop  60 s           2026-03-02T03:00:00.000Z  ok       2026-03-02T03:01:00.000Z  3       0',
      '  standfast-verify-shop  its own times  -                         -        paused                    3       0',
      '',
      '  standfast-verify-shop: moving the racks',
    ),
  );
  expect(renderSchedules([], plain)).toContain('standfast schedule apply');
});

test('a plan of schedules is a line each, and what was done is counted', () => {
  const change = { scheduleId: 's', cluster: 'shop', wanted: null, why: 'every: 3600 s → 60 s' };
  const changes = [
    { ...change, action: 'update' },
    { ...change, action: 'delete' },
    { ...change, action: 'delete' },
  ] as const;
  expect(renderPlan(changes, plain).split('\n')[0]).toBe('  update  s  every: 3600 s → 60 s');
  expect(renderApplied(changes)).toBe('schedules: 1 updated, 2 deleted');
  expect(renderApplied([])).toBe('schedules: none asked for, none there');
});

test('colours change no letter', () => {
  const escape = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
  const bare = (text: string): string => text.replaceAll(escape, '');
  const text = renderFailover(failedOver, coloured());
  expect(text).not.toBe(bare(text));
  expect(bare(text)).toBe(renderFailover(failedOver, plain));
});

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_949, '59.9 s'],
  [59_951, '1 min 0 s'],
  [187_000, '3 min 7 s'],
])('%d ms is %s', (milliseconds, text) => {
  expect(renderDuration(milliseconds)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [4_321_000_000, '4.3 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(renderBytes(bytes)).toBe(text);
});
