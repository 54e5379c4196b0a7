import { tracesOfCopies } from '../../lab/copies.ts';
import type { Lab } from '../../lab/lab.ts';
import type { Roles } from '../invariants.ts';
import type { Ending } from '../play.ts';
import { sentenceOf } from '../play.ts';
import type { Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const AS_SAVED: Roles = { primary: 'db1', replicas: ['db2', 'db3'] };
export const ALONE: Roles = { primary: 'db1', replicas: [] };
export const WITH_DB2: Roles = { primary: 'db1', replicas: ['db2'] };

export const killPrimary = ({ lab }: Stage): Promise<void> => {
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  return Promise.resolve();
};

export const unlessDone = (ending: Ending): readonly string[] =>
  ending.kind === 'done' ? [] : [`the run was to succeed and ended with ${sentenceOf(ending)}`];

export const unlessCancelled = (ending: Ending): readonly string[] =>
  ending.kind === 'failed' && ending.error.type === 'Cancelled'
    ? []
    : [`the run was to end as cancelled and ended with ${sentenceOf(ending)}`];

/** Cancels a run whose worker is held: the step under way ends there. */
export const cancel =
  (workflowId: string) =>
  ({ runs }: Scene): Promise<void> =>
    runs.cancel(workflowId);

async function record(lab: Lab, host: string, name: 'sync'): Promise<string> {
  return (await lab.host(host).exec(['cat', `/var/lib/standfast/${name}`])).stdout.trim();
}

/** What members record about acknowledgement, without the epoch. */
export async function unlessRecorded(lab: Lab, wanted: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  let matching = 0;
  for (const { name } of lab.hosts) {
    if (!lab.host(name).isOn()) continue;
    const sync = await record(lab, name, 'sync');
    if (wanted.test(sync)) matching += 1;
    else found.push(`the sync record of ${name} is "${sync}", not ${String(wanted)}`);
  }
  return matching * 2 > lab.hosts.length ? [] : found;
}

export async function unlessClean(lab: Lab, hosts: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    hosts.map(async (host) => (await tracesOfCopies(lab, host)).map((trace) => `${host} still has ${trace}`)),
  );
  return lists.flat();
}
