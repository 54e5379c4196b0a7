import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import type { AdmitReplicaInput } from '../domain/inputs.ts';
import { parseAdmitReplica } from '../domain/inputs.ts';
import type { AdmitResult } from '../domain/report.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label, requireHost } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, prompt } from './steps.ts';

/** The command for it. */
export const toAdmit = ({ cluster, host }: AdmitReplicaInput): string => `standfast acker add ${cluster} ${host}`;

/** Makes a replica that runs and is proven count for losslessness. Holds the cluster's lock for a moment. */
export async function admitReplica(input: unknown): Promise<AdmitResult> {
  const order = accept(parseAdmitReplica(input));
  const { cluster, host } = order;
  label('admitReplica', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`admitting ${host} to ${cluster}`, async (undo) => {
      const page = new RunPage(`Admit ${host} to ${cluster}`, ['admit']);
      const { runId: run } = workflowInfo();
      requireHost(await brief(`read the inventory of ${cluster}`).describeCluster({ cluster }), host);
      page.enter('admit');
      undo.push(() => prompt(`undo the admission of ${host}`).undoAdmission({ cluster, run, host }));
      const result = await prompt(`make ${host} acknowledge writes`).admitReplica({ cluster, run, host });
      undo.forget();
      page.end('admitted');
      return result;
    }),
  );
}
