import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { parseRepointReplica } from '../domain/inputs.ts';
import type { Repointed } from '../domain/rejoin.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label, requireHost } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, thorough } from './steps.ts';

/** Lets a host that came back follow the primary, or sets aside what only it has. Holds the cluster's lock meanwhile. Part of `rejoinReplica`. */
export async function repointReplica(input: unknown): Promise<Repointed> {
  const order = accept(parseRepointReplica(input));
  const { cluster, host } = order;
  label('repointReplica', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`bringing ${host} back to ${cluster}`, async (undo) => {
      const page = new RunPage(`Bring ${host} back to ${cluster}`, ['follow']);
      requireHost(await brief(`read the inventory of ${cluster}`).describeCluster({ cluster }), host);
      page.enter('follow');
      const { follows } = await brief(`may ${host} come back?`).planRejoin({ cluster, host });
      // One that followed before this run goes on, whatever becomes of it.
      if (!follows)
        undo.push(() => brief(`undo: ${host} follows nobody`).undoRejoin({ cluster, host, followedBefore: false }));
      const { runId: run } = workflowInfo();
      const found = await thorough(`compare ${host} with the primary, and point it there`).rejoinHost({
        cluster,
        run,
        host,
      });
      undo.forget();
      page.end(found.kind);
      return { ...found, followedBefore: follows };
    }),
  );
}
