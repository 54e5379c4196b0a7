import { Connection } from '@temporalio/client';
import { Ledger } from '../lab/ledger/ledger.ts';
import { CLUSTER } from './stage.ts';
import type { Stage } from './stage.ts';

export interface Murder {
  readonly worker: string;
  readonly pid: number;
  /** The activity that it was running. */
  readonly activity: string;
  /** On the ledger's clock, microseconds. */
  readonly at: number;
  readonly atIso: string;
}

const STARTED = 2; // temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
const LOOK_EVERY_MS = 5;
const LOOK_FOR_MS = 30_000;

/** Waits until a worker runs a step of the failover, then kills that very process with SIGKILL. */
export async function killRunningWorker(stage: Stage, delayMs: number): Promise<Murder> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  try {
    const endsAt = performance.now() + LOOK_FOR_MS;
    for (;;) {
      const running = await runningActivity(connection);
      const worker = stage.workers.find((one) => running?.identity.endsWith(`/${String(one.pid)}`) === true);
      if (running !== null && worker !== undefined) {
        await pause(delayMs);
        const [at, atIso] = [Ledger.now(), new Date().toISOString()];
        await worker.kill();
        return { worker: worker.name, pid: worker.pid, activity: running.activity, at, atIso };
      }
      if (performance.now() > endsAt) throw new Error('no worker was seen to run a step of the failover');
      await pause(LOOK_EVERY_MS);
    }
  } finally {
    await connection.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function runningActivity(
  connection: Connection,
): Promise<{ readonly identity: string; readonly activity: string } | null> {
  const described = await connection.workflowService
    .describeWorkflowExecution({ namespace: 'default', execution: { workflowId: `operation/${CLUSTER}` } })
    .catch(() => null); // not started yet
  if (described?.workflowExecutionInfo?.type?.name !== 'failover') return null;
  const pending = described.pendingActivities.find(
    (one) => (one.lastWorkerIdentity ?? '') !== '' && Number(one.state) === STARTED,
  );
  if (pending === undefined) return null;
  return { identity: pending.lastWorkerIdentity ?? '', activity: pending.activityType?.name ?? '' };
}
