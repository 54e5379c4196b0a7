import { Connection } from '@temporalio/client';
import { runningActivity } from '../lab/activity.ts';
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

const LOOK_EVERY_MS = 5;
const LOOK_FOR_MS = 30_000;

/** Waits until a worker runs a step of the failover, then kills that very process with SIGKILL. */
export async function killRunningWorker(stage: Stage, delayMs: number): Promise<Murder> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  try {
    const endsAt = performance.now() + LOOK_FOR_MS;
    for (;;) {
      const running = await runningActivity(connection, `operation/${CLUSTER}`);
      const worker = stage.workers.find((one) => one.isCalled(running?.identity));
      if (running?.workflow === 'failover' && worker !== undefined) {
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
