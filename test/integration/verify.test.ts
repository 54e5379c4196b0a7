import { describe, expect, onTestFinished, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../../lab/run.ts';
import { unhealthyVerdict, wantedSchedules } from '../../client/index.ts';
import { useCluster, useWorker } from './cluster.ts';
import { keepPolicy } from './policy.ts';
import { refusalOf } from './refusal.ts';
import { failureOf, useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();
const SCHEDULE_MS = 90_000;
/** Who does not apply at all is not waited for any longer. */
const IMPATIENT = { lagFail: '3s' } as const;
keepPolicy(cluster);

interface Breakage {
  readonly host: string;
  readonly code: string;
  readonly sentence: RegExp;
  readonly make: (lab: Lab) => Promise<unknown>;
  readonly mend: (lab: Lab) => Promise<unknown>;
}

const sql = (host: string, statement: string) => (lab: Lab) => lab.host(host).sql(statement);

/** Each leaves the cluster as it found it, or is the last. */
const breakages: readonly (readonly [string, Breakage])[] = [
  [
    'an SQL thread that stands',
    {
      host: 'db2',
      code: 'ApplierStopped',
      sentence: /the SQL thread of db2 is stopped/,
      make: sql('db2', 'STOP SLAVE SQL_THREAD'),
      mend: sql('db2', 'START SLAVE SQL_THREAD'),
    },
  ],
  [
    'an IO thread that stands',
    {
      host: 'db3',
      code: 'ReceiverStopped',
      sentence: /the IO thread of db3 is stopped/,
      make: sql('db3', 'STOP SLAVE IO_THREAD'),
      mend: sql('db3', 'START SLAVE IO_THREAD'),
    },
  ],
  [
    'a replica that accepts writes',
    {
      host: 'db3',
      code: 'ReplicaWritable',
      sentence: /db3 accepts writes/,
      make: sql('db3', 'SET GLOBAL read_only=0'),
      mend: sql('db3', 'SET GLOBAL read_only=1'),
    },
  ],
  [
    'a replication channel of another name, though it is stopped',
    {
      host: 'db3',
      code: 'ForeignChannel',
      sentence: /db3 has a replication channel that is not the cluster's: "other" from db2 \(receiver stopped/,
      make: async (lab) => {
        const { address } = lab.host('db2');
        await lab.host('db3').sql(`CHANGE MASTER 'other' TO MASTER_HOST='${address}', MASTER_USER='repl'`);
      },
      mend: sql('db3', "RESET SLAVE 'other' ALL"),
    },
  ],
  [
    'a replica that is down',
    {
      host: 'db2',
      code: 'ReplicaDown',
      sentence: /db2 does not answer/,
      make: (lab) => lab.host('db2').exec(['service', 'mariadb', 'stop']),
      mend: async (lab) => {
        await lab.host('db2').exec(['service', 'mariadb', 'start']);
        await lab.host('db2').sql('SET GLOBAL rpl_semi_sync_slave_enabled=1; START SLAVE');
      },
    },
  ],
  [
    'a transaction that the primary never had',
    {
      host: 'db3',
      code: 'ErrantTransactions',
      sentence: /db3 has transactions that the primary never had: 0-3-\d+/,
      make: sql('db3', 'SET GLOBAL read_only=0; CREATE DATABASE errant; SET GLOBAL read_only=1'),
      mend: () => Promise.resolve(),
    },
  ],
];

describe('a verification', () => {
  test('of a sound cluster says so, with evidence', async () => {
    const { client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const { outcome, verdict } = await client.verify({ cluster: 'shop' });
    expect(outcome).toBe('ok');
    expect(verdict).toMatchObject({
      state: 'ok',
      sentence: '3 of 3 hosts healthy; can lose 1',
      primary: 'db1',
      vipHolders: ['db1'],
      findings: [],
    });
    for (const [index, host] of ['db2', 'db3'].entries())
      expect(verdict.replicas[index]).toMatchObject({
        host,
        source: 'db1',
        receiver: 'running',
        applier: 'running',
        errant: '',
        readOnly: true,
        lagMs: expect.any(Number),
      });
  });

  describe('of a cluster with one fault', () => {
    useWorker(cluster);

    test.each(breakages)('fails for %s', async (_what, { host, code, sentence, make, mend }) => {
      const { lab, client } = cluster();
      lab.configure(IMPATIENT);
      await make(lab);
      const refusal = await refusalOf(client.verify({ cluster: 'shop' }));
      await mend(lab);
      expect(refusal).toMatchObject({ type: 'Unhealthy', exitCode: 10 });
      const verdict = unhealthyVerdict(refusal);
      expect(verdict?.state).toBe('bad');
      const finding = verdict?.findings.find((one) => one.code === code && one.host === host);
      expect(finding).toMatchObject({ severity: 'bad', explains: expect.stringMatching(sentence) });
      expect(finding?.remedy).not.toBe('');
    });
  });

  test('fails when the VIP is on no host, and its remedy mends it', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    lab.host('db1').signal('keepalived', 'SIGSTOP');
    const taken = await lab.host('db1').exec(['ip', 'addr', 'del', `${lab.vip}/24`, 'dev', 'eth0']);
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
    const refusal = await refusalOf(client.verify({ cluster: 'shop' }));
    lab.host('db1').signal('keepalived', 'SIGCONT');
    const finding = unhealthyVerdict(refusal)?.findings.find((one) => one.code === 'VipNowhere');
    expect(finding?.remedy).toBe('standfast prepare shop db1');
    await client.preparePrimary({ cluster: 'shop', host: 'db1' });
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok', verdict: { vipHolders: ['db1'] } });
  });

  test('fails when the primary is down, and names the failover', async () => {
    const { lab, client, startWorker } = cluster();
    await startWorker('only');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const refusal = await refusalOf(client.verify({ cluster: 'shop' }));
    const finding = unhealthyVerdict(refusal)?.findings.find((one) => one.code === 'PrimaryDown');
    expect(finding).toMatchObject({ host: 'db1', remedy: 'standfast failover shop' });
  });
});

describe('the schedule', () => {
  /** The newest run that the schedule began after `since`, once it has ended. */
  const scheduledRun = (since: Date) =>
    until(
      'a run that the schedule began',
      async () => {
        const query = 'WorkflowType = "verifyReplication" AND WorkflowId STARTS_WITH "verify/shop/scheduled"';
        for await (const run of temporal().workflow.list({ query }))
          if (run.startTime > since && run.status.name !== 'RUNNING') return run;
        return undefined;
      },
      SCHEDULE_MS,
    );

  test('verifies by itself every minute; the run is green when all is well and red when it is not', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const [wanted] = wantedSchedules({ clusters: [{ name: 'shop', files: [] }] });
    if (wanted === undefined) throw new Error('a cluster is verified on schedule');
    const changes = await client.schedules.plan({ wanted: [wanted] });
    expect(changes).toMatchObject([{ action: 'create', scheduleId: 'standfast-verify-shop' }]);
    const applied = new Date(); // runs of another schedule may be there from before
    await client.schedules.apply(changes);
    onTestFinished(() => temporal().schedule.getHandle(wanted.scheduleId).delete());
    const green = await scheduledRun(applied);
    expect(green.status.name).toBe('COMPLETED');
    lab.configure(IMPATIENT);
    await lab.host('db2').sql('STOP SLAVE SQL_THREAD');
    const since = new Date();
    await temporal().schedule.getHandle(wanted.scheduleId).trigger(); // the next minute is not waited for
    const red = await scheduledRun(since);
    expect(red.status.name).toBe('FAILED');
    const failure = await failureOf(temporal().workflow.getHandle(red.workflowId, red.runId).result());
    expect(failure).toMatchObject({ type: 'Unhealthy' });
    expect(failure.message).toContain('the SQL thread of db2 is stopped');
  }, 240_000);
});
