import { expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import type { LabWorker } from '../../lab/workers.ts';
import { caughtUp, checksums, useCluster } from './cluster.ts';

const cluster = useCluster();
const order = { cluster: 'shop', host: 'db2' };

/** A start of any replication thread gives it another number. */
const threads = async (lab: Lab): Promise<string> =>
  (
    await lab
      .host('db2')
      .sql("SELECT GROUP_CONCAT(ID ORDER BY ID) FROM information_schema.PROCESSLIST WHERE USER = 'system user'")
  )
    .flat()
    .join();

const journal = async (lab: Lab): Promise<string> =>
  (await lab.host('db2').exec(['cat', '/var/lib/standfast/journal'])).stdout;

/** What a late order could change: the threads, what the host carried out, its attempts. A refusal changes nothing. */
async function stateOf(lab: Lab) {
  const attempts = await lab.host('db2').exec(['sh', '-c', 'cat /var/lib/standfast/attempts/*']);
  const done = (await journal(lab)).split('\n').filter((line) => / ok( |$)/.test(line));
  return { threads: await threads(lab), done, attempts: attempts.stdout };
}

/** Freezes the worker as soon as `seen` holds. */
async function freezeWhen(worker: LabWorker, what: string, seen: () => Promise<boolean>): Promise<void> {
  await until(what, async () => ((await seen()) ? true : undefined), 120_000);
  worker.signal('SIGSTOP');
}

const TEST_MS = 300_000;

test(
  'a worker that was frozen while it proved a replica cannot touch it once it counts',
  { timeout: TEST_MS },
  async () => {
    const { lab, client, startWorker, startLedger, restoreWithWorker } = cluster();
    const first = await restoreWithWorker('plain', 'first');
    const ledger = startLedger({ hosts: [] });
    await ledger.acknowledged(20);
    const running = client.provisionReplica(order);
    await until(
      'the server of db2',
      async () => ((await journal(lab)).includes('service-start ok') ? true : undefined),
      120_000,
    );
    // Nothing more arrives on db2, while writes go on: it cannot catch up, and the worker waits in its session.
    await lab.cut('db1', 'db2');
    const waiting =
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT MASTER_GTID_WAIT%' AND USER = 'standfast'";
    await freezeWhen(
      first,
      'a worker that waits for db2 to catch up',
      async () => (await lab.host('db2').sql(waiting)).flat()[0] === '1',
    );
    await startWorker('second');
    await lab.heal();
    expect(await running).toMatchObject({ outcome: 'admitted', host: 'db2' });
    const before = await stateOf(lab);
    first.signal('SIGCONT');
    await first.says(/proveReplica|db2: .* failed/);
    expect(await stateOf(lab)).toEqual(before);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    await caughtUp(lab, 'db2', 'db1');
    expect(await checksums(lab, 'db2')).toEqual(await checksums(lab, 'db1'));
  },
);

test(
  'a worker that was frozen while it started a replica changes nothing when another has admitted it',
  { timeout: TEST_MS },
  async () => {
    const { lab, client, startWorker, restoreWithWorker } = cluster();
    const first = await restoreWithWorker('plain', 'first');
    const running = client.provisionReplica(order);
    await freezeWhen(first, 'a server that is being started on db2', async () =>
      (await journal(lab)).includes('service-start begin'),
    );
    await startWorker('second');
    expect(await running).toMatchObject({ outcome: 'admitted', host: 'db2' });
    const before = await stateOf(lab);
    expect(before.attempts).toMatch(/^\d+ over$/m);
    first.signal('SIGCONT');
    // It is given ten seconds to end what it was at, which its host refuses or its next heartbeat cancels, whichever comes first, and the tasks that it took while it was frozen.
    first.signal('SIGTERM');
    await first.ended();
    expect(await stateOf(lab)).toEqual(before);
  },
);
