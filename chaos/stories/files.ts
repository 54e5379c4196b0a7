import { declareUploads, makeUploads, uploadsOn } from '../../lab/filesets.ts';
import { brokenInvariants } from '../invariants.ts';
import type { Scenario } from '../play.ts';
import type { Stage } from '../stage.ts';
import { CLUSTER as cluster } from '../stage.ts';
import { AS_SAVED, unlessDone } from './outcomes.ts';

const order = { cluster, fileset: 'uploads' } as const;

/** A folder that the replicas do not have yet. */
async function bringUploads({ lab }: Stage): Promise<void> {
  declareUploads(lab);
  await makeUploads(lab);
}

async function differences({ lab }: Stage, wanted: string): Promise<readonly string[]> {
  const hosts = ['db2', 'db3'];
  const found = await Promise.all(hosts.map((host) => uploadsOn(lab, host)));
  return hosts
    .filter((_, index) => found[index] !== wanted)
    .map((host) => `the files of ${host} are not as they have to be`);
}

export const syncFiles: Scenario = {
  state: 'cluster',
  leavesAsFound: true,
  breaks: bringUploads,
  call: ({ client }, options) => client.syncFiles(order, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await differences(stage, await uploadsOn(stage.lab, 'db1'))),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
  ],
};

/** A comparison leaves the folders of the replicas as empty as they were. */
export const diffFiles: Scenario = {
  ...syncFiles,
  call: ({ client }, options) => client.diffFiles(order, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await differences(stage, '')),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
  ],
};
