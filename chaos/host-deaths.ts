import type { FailoverResult } from '../client/index.ts';
import { StandfastError } from '../client/index.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { LabError } from '../lab/run.ts';
import { brokenInvariants, writableHosts } from './invariants.ts';
import type { Ending, Incident, Scenario } from './play.ts';
import { sentenceOf } from './play.ts';
import type { Scene } from './scene.ts';
import { CLUSTER } from './stage.ts';

/** db2 is the one that a failover of db1 elects when both hold the same; db3 is the other. */
export const VICTIMS = ['db2', 'db3'] as const;
export const WAYS = ['mysqld', 'power'] as const;
type Victim = (typeof VICTIMS)[number];
type Way = (typeof WAYS)[number];

/** A replica dies while the worker of the failover stands still. */
export const hostDies = (point: string, victim: Victim, way: Way): Incident => ({
  point,
  happen: async ({ stage, worker }) => {
    if (way === 'power') await stage.lab.host(victim).powerOff();
    else stage.lab.host(victim).signal('mariadbd', 'SIGKILL');
    worker.release();
  },
});

async function bringBack(lab: Lab, victim: Victim): Promise<void> {
  const host = lab.host(victim);
  await host.powerOn();
  await host.exec(['service', 'mariadb', 'start'], { timeoutMs: 60_000 });
}

/** A second failover, by the worker that is left, after the victim has come back. */
async function callAgain({ stage, runs }: Scene, victim: Victim): Promise<Ending> {
  await runs.terminateAll('it has taken too long');
  await bringBack(stage.lab, victim);
  try {
    return {
      kind: 'done',
      result: await stage.client.failover({ cluster: CLUSTER, reason: 'again' }, { timeoutMs: 120_000 }),
    };
  } catch (error) {
    if (error instanceof StandfastError) return { kind: 'failed', error };
    throw error;
  }
}

/** A winner that dies when it is made already is a new case; the verdict at the end of the failover has to show it. */
const saysSo = (ending: Ending): boolean =>
  ending.kind !== 'done' || (ending.result as FailoverResult).verdict?.state !== 'ok';

/**
 * An acker that dies behind the promotion was promised to be waited for, so the writers hang: the verdict has to show it, and to take the acker out, or
 * to bring it back, has to let them go on.
 */
async function freeWriters({ stage, ledger }: Scene, ending: Ending, victim: Victim): Promise<readonly string[]> {
  try {
    await ledger.acknowledged(1, { since: Ledger.now() });
    return [];
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
  }
  try {
    await stage.client.removeAcker({ cluster: CLUSTER, host: victim, reason: 'it died' }, { timeoutMs: 240_000 });
  } catch (error) {
    if (!(error instanceof StandfastError)) throw error;
    // With every connection of the primary taken by writers that hang, and the old primary fenced, there may be no majority without it.
    await bringBack(stage.lab, victim);
  }
  return saysSo(ending) ? [] : ['I7: the failover ended well, and its verdict does not say that the writers hang'];
}

/**
 * The failover has to end by itself, done or with a reason. Where no server accepts writes then, a second failover has to bring one, once the victim is
 * back.
 */
export const failoverWithDeath = (failover: Scenario, victim: Victim): Scenario => ({
  ...failover,
  judge: async (scene, { ending, faultAt }) => {
    const { lab } = scene.stage;
    const hung: string[] = ending.kind === 'hangs' ? [sentenceOf(ending)] : [];
    if ((await writableHosts(lab)).length === 0) {
      if (!saysSo(ending)) hung.push('I7: the failover ended well, and its verdict does not say that nobody serves');
      const again = await callAgain(scene, victim);
      if (again.kind !== 'done')
        hung.push(`after ${sentenceOf(ending)}, a second failover ended with ${sentenceOf(again)}`);
    }
    const [primary = 'nobody', ...others] = await writableHosts(lab);
    if (primary === 'nobody' || others.length > 0)
      return [...hung, `I2 I4: ${[primary, ...others].join(' and ')} accepts writes after ${sentenceOf(ending)}`];
    if (primary !== victim) hung.push(...(await freeWriters(scene, ending, victim)));
    const replicas = ['db2', 'db3'].filter((host) => host !== primary && host !== victim);
    return [...hung, ...(await brokenInvariants(lab, scene.ledger, { primary, replicas, faultAt }))];
  },
});
