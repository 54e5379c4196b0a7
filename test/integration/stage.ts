import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Standfast } from '../../client/index.ts';
import { Lab } from '../../lab/lab.ts';
import { readIfThere } from '../../lab/processes.ts';
import { until } from '../../lab/run.ts';
import { loadShop } from '../../lab/shop.ts';
import { defaultFolder } from '../../lab/state.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';
import { PLACES } from './places.ts';

export interface Stage {
  readonly lab: Lab;
  /** Temporal's address for the tests themselves. */
  readonly temporal: string;
  /** Temporal's address for processes of the control seat. */
  readonly temporalInside: string;
}

/** Another name lets a second run of the tests stand beside this one. */
const NAME = process.env['STANDFAST_TEST_LAB'] ?? 't-int';

/** `which` counts from 1. */
export const stageName = (which: number): string => `${NAME}-${String(which)}`;

/** Vitest numbers the places where files run side by side. */
export const ownStage = (): string => stageName(Number(process.env['VITEST_POOL_ID']));

/** All that stand by now. */
export const stagesThere = (): readonly Stage[] =>
  Array.from({ length: PLACES }, (_, at) => stageName(at + 1))
    .filter((name) => existsSync(ready(name)))
    .map(attach);

const ready = (name: string): string => path.join(defaultFolder(name), 'ready');
const inUse = (name: string): string => path.join(defaultFolder(name), 'in-use');

let stage: Promise<Stage> | undefined;

/**
 * A lab, a Temporal and two saved states, made by the first file that runs at this place and used by all that follow there: `plain` is an adopted
 * primary alone, `cluster` has two admitted replicas. Both are made by the product itself.
 */
export const openStage = (): Promise<Stage> =>
  (stage ??= (async () => {
    const name = ownStage();
    if (!existsSync(ready(name))) await setUp(name);
    writeFileSync(inUse(name), String(process.pid));
    return attach(name);
  })());

function attach(name: string): Stage {
  const lab = Lab.attachByName(name);
  const { address, insideAddress } = TemporalServer.attach(lab);
  return { lab, temporal: address, temporalInside: insideAddress };
}

async function setUp(name: string): Promise<void> {
  const lab = await Lab.up({ name });
  const temporal = await TemporalServer.start(lab);
  const worker = await LabWorker.start(lab, 'setup', { temporal: temporal.insideAddress });
  const client = await Standfast.connect({ address: temporal.address });
  await loadShop(lab.host('db1'), { sizeMb: 20 });
  await client.preparePrimary({ cluster: 'shop', host: 'db1' });
  await lab.save('plain');
  await client.preparePrimary({ cluster: 'shop', host: 'db1' });
  for (const host of ['db2', 'db3']) await client.provisionReplica({ cluster: 'shop', host });
  await lab.save('cluster');
  await client.close();
  await worker.kill();
  writeFileSync(ready(name), '');
}

/** Waits until the file that runs beside this one has ended. */
export async function othersEnded(): Promise<void> {
  const mine = ownStage();
  for (const { lab } of stagesThere().filter((other) => other.lab.state.name !== mine))
    await until(
      `the tests in ${lab.state.name} to end`,
      () => Promise.resolve(isAlive(readIfThere(inUse(lab.state.name))) ? undefined : true),
      600_000,
    );
}

function isAlive(pid: string | undefined): boolean {
  return pid !== undefined && existsSync(`/proc/${pid}`);
}
