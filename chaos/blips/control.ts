import { Ledger } from '../../lab/ledger/ledger.ts';
import { LabError, until } from '../../lab/run.ts';
import { PRIMARY } from './catalogue.ts';
import type { Setting } from './round.ts';
import type { Scene } from './scene.ts';
import { hostOf, serverIdOf } from './scene.ts';
import { operationsBetween, standingOf } from './standing.ts';

const SERVED_WITHIN_MS = 60_000;

export interface Control {
  /** Why it has not passed; empty when it has. */
  readonly broken: readonly string[];
  readonly sentence: string;
}

/** The primary is really killed, and only the watcher is there to notice: without a failover none of the blips has proven anything. */
export async function killPrimary({ scene, ledger, before }: Setting): Promise<Control> {
  const faultAt = Ledger.now();
  hostOf(scene, PRIMARY).signal('mariadbd', 'SIGKILL');
  const successor = await successorIn(scene, ledger);
  const operations = await operationsBetween(scene, before, await standingOf(scene));
  await ledger.stop();
  if (successor === null)
    return { broken: ['the primary was killed, and nobody took its place'], sentence: 'nobody noticed' };
  const verdict = await ledger.verdict({
    ...{ primary: successor, faultAt },
    succession: [serverIdOf(scene, PRIMARY), serverIdOf(scene, successor)],
  });
  const failovers = operations.filter(({ type }) => type === 'failover').map(({ ending }) => ending);
  return {
    broken: [
      ...(failovers.join() === 'failed-over' ? [] : [`not one failover that succeeded, but: ${failovers.join('; ')}`]),
      ...(verdict.lost.length === 0 ? [] : [`${String(verdict.lost.length)} acknowledged writes are lost`]),
      ...(verdict.twoWriters.length === 0 ? [] : [`${String(verdict.twoWriters.length)} writes of a deposed server`]),
    ],
    sentence: `${PRIMARY} was killed; ${successor} took writes after ${String(Math.round(verdict.writeOutageMs ?? 0))} ms`,
  };
}

/** Who else has accepted a write through the VIP; null: nobody in time. */
async function successorIn(scene: Scene, ledger: Ledger): Promise<string | null> {
  const others = new Map(
    scene.stage.lab.hosts.filter(({ name }) => name !== PRIMARY).map(({ name }) => [serverIdOf(scene, name), name]),
  );
  const accepted = (): string | undefined =>
    ledger
      .attempts()
      .filter(({ route, outcome }) => route === 'vip' && outcome === 'ack')
      .map(({ serverId }) => others.get(serverId ?? 0))
      .find((name) => name !== undefined);
  try {
    return await until('a write accepted by another server', accepted, SERVED_WITHIN_MS);
  } catch (error) {
    if (error instanceof LabError) return null;
    throw error;
  }
}
