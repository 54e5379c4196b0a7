import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { memberNames } from '../domain/cluster.ts';
import { parseRemoveAcker } from '../domain/inputs.ts';
import { answeredRecords } from '../domain/observation.ts';
import { recordedSync } from '../domain/records.ts';
import type { RemoveAckerResult } from '../domain/report.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label, requireHost } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, prompt } from './steps.ts';

/** A replica that left, or is about to, counts for losslessness no more: refused by the primary first, then off the record. */
export async function removeAcker(input: unknown): Promise<RemoveAckerResult> {
  const order = accept(parseRemoveAcker(input));
  const { cluster, host, reason } = order;
  label('removeAcker', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`removing ${host} from the ackers of ${cluster}`, async (undo) => {
      const page = new RunPage(`Remove acker ${host} of ${cluster}${reason === undefined ? '' : `: ${reason}`}`, [
        'remove',
      ]);
      const { runId: run } = workflowInfo();
      const description = await brief(`read the inventory of ${cluster}`).describeCluster({ cluster });
      requireHost(description, host);
      const seen = answeredRecords(await brief('ask every member').observeCluster({ cluster }));
      const before = recordedSync(seen, memberNames(description).length);
      const wasAcker = before.kind === 'known' && before.record.ackers.includes(host);
      page.enter('remove');
      undo.push(() => prompt(`undo: let ${host} in again`).undoRemoval({ cluster, run, host, wasAcker }));
      const result = await prompt(`refuse ${host}, shrink the record`).removeAcker({ cluster, run, host });
      undo.forget();
      page.note(result.sentence);
      page.end('removed', `standfast acker add ${cluster} ${host}, when it is back`);
      return result;
    }),
  );
}
