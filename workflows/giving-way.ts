import { CancellationScope, setHandler } from '@temporalio/workflow';
import { failure } from './failures.ts';
import { primaryDeadSignal } from './messages.ts';
import type { UndoStack } from './undo.ts';
import { compensated, namedFailure } from './undo.ts';

/**
 * For whatever holds the cluster's lock and is no failover: as {@link compensated}, and when the watcher says that the primary died, the body is cancelled, undone,
 * and the run ends as `Stale`, so that a failover can begin.
 */
export async function givingWay<R>(what: string, body: (undo: UndoStack) => Promise<R>): Promise<R> {
  const scope = new CancellationScope();
  let died: string | null = null;
  setHandler(primaryDeadSignal, (why) => {
    died ??= why;
    scope.cancel();
  });
  return compensated(what, async (undo) => {
    try {
      return await scope.run(() => body(undo));
    } catch (error) {
      if (died === null || namedFailure(error) !== null) throw error;
      throw failure('Stale', `a failover must not wait for it (${died})`, {});
    }
  });
}
