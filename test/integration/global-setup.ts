import type { TestProject } from 'vitest/node';
import { Standfast } from '../../client/index.ts';
import { Lab } from '../../lab/lab.ts';
import { loadShop } from '../../lab/shop.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';
import { saveHistories } from './histories.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the tests find the lab, and Temporal from both sides. */
    stage: { readonly folder: string; readonly temporal: string; readonly temporalInside: string };
  }
}

/** Another name lets a second run of the tests stand beside this one. */
const NAME = process.env['STANDFAST_TEST_LAB'] ?? 't-int';
/** A folder: what the runs of these tests left in Temporal is kept there, for the replay tests. */
const HISTORIES = process.env['STANDFAST_SAVE_HISTORIES'];

/**
 * One lab, one Temporal and two saved states for all integration tests: `plain` is an adopted primary alone, `cluster` has two admitted replicas.
 * Both are made by the product itself.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const lab = await Lab.up({ name: NAME });
  let address = '';
  const tearDown = async (): Promise<void> => {
    if (address !== '' && HISTORIES !== undefined) await saveHistories(address, HISTORIES);
    await lab.down();
  };
  try {
    const temporal = await TemporalServer.start(lab);
    address = temporal.address;
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
    project.provide('stage', {
      folder: lab.folder,
      temporal: temporal.address,
      temporalInside: temporal.insideAddress,
    });
  } catch (error) {
    await lab.down();
    throw error;
  }
  return tearDown;
}
