import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Standfast } from '../../client/index.ts';
import type { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import type { LedgerOptions } from '../../lab/ledger/ledger.ts';
import { LabWorker } from '../../lab/workers.ts';
import { openStage } from './stage.ts';

/** What a test file of the integration tests works with. */
export interface Cluster {
  readonly lab: Lab;
  readonly client: Standfast;
  /** Temporal's address for clients of the test itself. */
  readonly temporal: string;
  /** The same for processes of the control seat. */
  readonly temporalInside: string;
  /** The cluster as saved, open for writes. */
  restore(state: 'plain' | 'cluster'): Promise<void>;
  /** The same; the worker that has opened it goes on, and is not started anew. It may be one that is held later. */
  restoreWithWorker(state: 'plain' | 'cluster', name: string, holdAt?: string): Promise<LabWorker>;
  startWorker(name: string, holdAt?: string, environment?: Readonly<Record<string, string>>): Promise<LabWorker>;
  /** One that watches, and carries out the failovers that it starts. */
  startWatcher(name: string): Promise<LabWorker>;
  /** One that only looks, from the application's seat, which is that site. */
  startObserver(site: string): Promise<LabWorker>;
  startLedger(options?: LedgerOptions): Ledger;
}

/** Joins the lab of this place (stage.ts). Whatever a test starts through it is ended after that test. */
export function useCluster(): () => Cluster {
  let cluster: Cluster | undefined;
  const workers: LabWorker[] = [];
  const ledgers: Ledger[] = [];
  let lent: Promise<void> | undefined;
  beforeAll(async () => {
    const { lab, temporal, temporalInside } = await openStage();
    const client = await Standfast.connect({ address: temporal });
    const startWorker: Cluster['startWorker'] = async (name, holdAt, environment = {}) => {
      const hold = holdAt === undefined ? {} : { holdAt };
      const worker = await LabWorker.start(lab, name, { temporal: temporalInside, environment, ...hold });
      workers.push(worker);
      return worker;
    };
    const open: Cluster['restoreWithWorker'] = async (state, name, holdAt) => {
      const [worker] = await Promise.all([startWorker(name, holdAt), lab.restore(state)]);
      await client.preparePrimary({ cluster: 'shop', host: 'db1' });
      return worker;
    };
    cluster = {
      lab,
      client,
      temporal,
      temporalInside,
      startWorker,
      startWatcher: async (name) => {
        const worker = await LabWorker.start(lab, name, { temporal: temporalInside, role: 'watch' });
        workers.push(worker);
        return worker;
      },
      startObserver: async (site) => {
        await (lent ??= lab.lend(Number(temporalInside.split(':')[1])));
        const worker = await LabWorker.start(lab, site, { temporal: temporalInside, role: 'observe', site });
        workers.push(worker);
        return worker;
      },
      restore: async (state) => {
        const worker = await open(state, `restore-${state}`);
        await worker.kill();
      },
      restoreWithWorker: open,
      startLedger: (options) => {
        const ledger = Ledger.start(lab, options);
        ledgers.push(ledger);
        return ledger;
      },
    };
  });
  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.stop();
    for (const worker of workers.splice(0)) if (worker.isRunning()) await worker.kill();
    if (cluster !== undefined) await endRuns(cluster.temporal);
  });
  afterAll(async () => {
    await cluster?.client.close();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there from beforeAll on');
    return cluster;
  };
}

/** One worker for all tests of the `describe` that calls this, for those that only need that there is one. */
export function useWorker(cluster: () => Cluster): void {
  let worker: LabWorker | undefined;
  beforeAll(async () => {
    const { lab, temporalInside } = cluster();
    worker = await LabWorker.start(lab, 'shared', { temporal: temporalInside });
  });
  afterAll(async () => {
    await worker?.kill();
  });
}

/** A run that a failed test left behind holds its address: the next test would fail as well, for no reason of its own. */
async function endRuns(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  for await (const { workflowId, runId } of workflow.list({ query: 'ExecutionStatus = "Running"' }))
    await workflow.getHandle(workflowId, runId).terminate('its test has ended').catch(nothingToEnd);
  await connection.close();
}

function nothingToEnd(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** Tables of the applications on a host, by checksum. */
export async function checksums(lab: Lab, host: string): Promise<ReadonlyMap<string, string>> {
  const listed = await lab.host(host).sql(
    `SELECT CONCAT('\`', TABLE_SCHEMA, '\`.\`', TABLE_NAME, '\`') FROM information_schema.TABLES
     WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ('shop', 'ledger')`,
  );
  const names = listed.map(([name = '']) => name).sort();
  const rows = await lab.host(host).sql(`CHECKSUM TABLE ${names.join(', ')} EXTENDED`, { timeoutMs: 60_000 });
  return new Map(rows.map(([table = '', sum = '']) => [table, sum]));
}

/**
 * Kills the primary when `candidate` holds everything, as a test has to that asks for it: with a write under way another replica may hold one more, and
 * nobody else may be promoted then. The writers are there again for the outage.
 */
export async function killPrimaryBefore(
  { lab }: Cluster,
  { ledger, candidate }: { readonly ledger: Ledger; readonly candidate: string },
): Promise<void> {
  await ledger.stop();
  await caughtUp(lab, candidate, 'db1');
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  ledger.begin();
}

/** Waits until `host` has applied all that `primary` has committed. */
export async function caughtUp(lab: Lab, host: string, primary: string): Promise<void> {
  const [[position = ''] = []] = await lab.host(primary).sql('SELECT @@GLOBAL.gtid_binlog_pos');
  const [[outcome = ''] = []] = await lab
    .host(host)
    .sql(`SELECT MASTER_GTID_WAIT('${position}', 60)`, { timeoutMs: 70_000 });
  if (outcome !== '0') throw new Error(`${host} did not reach ${position} of ${primary}`);
}
