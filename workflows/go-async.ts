import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { parseGoAsync } from '../domain/inputs.ts';
import type { GoAsyncResult } from '../domain/report.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { prompt } from './steps.ts';

/**
 * The primary goes on without acknowledgements: on record first, then in truth. There is no undo: whatever of it happened, the record promises no more than the
 * primary keeps, and the run can simply be started again.
 */
export async function goAsync(input: unknown): Promise<GoAsyncResult> {
  const order = accept(parseGoAsync(input));
  const { cluster, reason } = order;
  label('goAsync', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`going async with ${cluster}`, async () => {
      const page = new RunPage(`Go async with ${cluster}${reason === undefined ? '' : `: ${reason}`}`, ['go async']);
      page.enter('go async');
      const { runId: run } = workflowInfo();
      const result = await prompt(`record async, release the writers of ${cluster}`).goAsync({ cluster, run });
      page.note(result.sentence);
      page.end('async', `standfast acker add ${cluster} HOST, for each replica that is to acknowledge again`);
      return result;
    }),
  );
}
