import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { parseMakeRoom } from '../domain/inputs.ts';
import type { MakeRoomResult } from '../domain/report.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { prompt } from './steps.ts';

/**
 * Ackers that were away get into a primary again whose connections all wait for them. There is no undo: no connection is ended, the refusals lapse by themselves, and a
 * limit that stays raised is noted on the host and put back by the next run.
 */
export async function makeRoom(input: unknown): Promise<MakeRoomResult> {
  const order = accept(parseMakeRoom(input));
  const { cluster } = order;
  label('makeRoom', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`making room for the ackers of ${cluster}`, async () => {
      const page = new RunPage(`Make room for the ackers of ${cluster}`, ['make room']);
      page.enter('make room');
      const { runId: run } = workflowInfo();
      const result = await prompt(`let the ackers of ${cluster} in`).makeRoom({ cluster, run });
      page.note(result.sentence);
      page.end(result.outcome);
      return result;
    }),
  );
}
