import { Context } from '@temporalio/activity';
import { waitApplied } from '../adapters/mariadb.ts';
import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { hindranceOf } from '../domain/catch-up.ts';
import type { Progress } from '../domain/progress.ts';
import { noteProgress } from '../domain/progress.ts';
import { statusOf } from './asking.ts';
import { beat } from './beats.ts';

const SLICE_MS = 1_000;

/** Takes as long as it takes, while it moves. */
export async function awaitApplied(cluster: ClusterPorts, copy: Session, goal: string): Promise<void> {
  const { host } = copy;
  let progress: Progress | null = null;
  while (!(await waitApplied(copy, goal, SLICE_MS))) {
    Context.current().cancellationSignal.throwIfAborted();
    const { replication, appliedPosition: position } = await statusOf(cluster, host);
    const atMs = performance.now();
    progress = noteProgress(progress, { position, atMs });
    beat({ host, applied: position, goal });
    const hindrance = hindranceOf(replication, { progress, atMs });
    if (hindrance !== null)
      throw new AdapterFailure({
        type: hindrance.type,
        host,
        message: `${host} does not get from ${position} to ${goal}: ${hindrance.why}`,
      });
  }
}
