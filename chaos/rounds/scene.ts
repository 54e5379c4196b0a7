import type { ChildProcess } from 'node:child_process';
import type { Host } from '../../lab/machine.ts';
import type { Ledger } from '../../lab/ledger/ledger.ts';
import { LabError } from '../../lab/run.ts';
import type { LabWorker } from '../../lab/workers.ts';
import type { Fault } from './plan.ts';
import type { Stage } from './stage.ts';

/** A round that is being played. */
export interface Scene {
  readonly stage: Stage;
  readonly ledger: Ledger;
  /** Processes that faults have started, to be ended when they heal. */
  readonly holders: Map<Fault, ChildProcess[]>;
  readonly frozenWorkers: Map<Fault, LabWorker>;
  /** The network is changed by one at a time: each change writes the whole table. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

export function openScene(stage: Stage, ledger: Ledger): Scene {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
  return { stage, ledger, holders: new Map(), frozenWorkers: new Map(), inTurn };
}

export function hostOf({ stage }: Scene, fault: Fault): Host {
  if (fault.host === null) throw new LabError(`${fault.kind} hits no host`);
  return stage.lab.host(fault.host);
}

export function endHolders(scene: Scene, fault: Fault): void {
  for (const holder of scene.holders.get(fault) ?? []) holder.kill('SIGKILL');
  scene.holders.delete(fault);
}
