import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Standfast } from '../../client/index.ts';
import { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { loadShop } from '../../lab/shop.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';

export interface SmallLab {
  readonly lab: Lab;
  readonly client: Standfast;
  /** db1 is the primary and db2 its admitted replica, open for writes. */
  restore(): Promise<void>;
  startLedger(): Ledger;
}

/** A lab of two database hosts, with a witness or without, and `policy.alone: async`: nobody is left to acknowledge after a failover. */
export function useSmallLab(suffix: string, hosts: readonly string[]): () => SmallLab {
  let small: (SmallLab & { readonly ledgers: Ledger[] }) | undefined;
  let lab: Lab | undefined;
  beforeAll(async () => {
    lab = await Lab.up({ name: `${process.env['STANDFAST_TEST_LAB'] ?? 't-int'}-${suffix}`, hosts });
    const inventory = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    writeFileSync(lab.etc('standfast.yaml'), inventory.replace('policy:\n', 'policy:\n      alone: async\n'));
    small = await cast(lab);
  });
  afterEach(async () => {
    for (const ledger of small?.ledgers.splice(0) ?? []) await ledger.stop();
  });
  afterAll(async () => {
    await small?.client.close();
    await lab?.down();
  });
  return () => {
    if (small === undefined) throw new Error('the lab is there from beforeAll on');
    return small;
  };
}

const primary = { cluster: 'shop', host: 'db1' };

async function cast(lab: Lab): Promise<SmallLab & { readonly ledgers: Ledger[] }> {
  const temporal = await TemporalServer.start(lab);
  await LabWorker.start(lab, 'only', { temporal: temporal.insideAddress });
  const client = await Standfast.connect({ address: temporal.address });
  const ledgers: Ledger[] = [];
  await loadShop(lab.host('db1'), { sizeMb: 5 });
  await client.preparePrimary(primary);
  await client.provisionReplica({ cluster: 'shop', host: 'db2' });
  await lab.save('pair');
  return {
    lab,
    client,
    ledgers,
    restore: async () => {
      await lab.restore('pair');
      // On a loaded machine db2 may be late, and the promise is made at the next try.
      await until(
        'a primary whose writes db2 acknowledges',
        async () => ((await client.preparePrimary(primary)).mode === 'lossless' ? true : undefined),
        120_000,
      );
    },
    startLedger: () => {
      const ledger = Ledger.start(lab);
      ledgers.push(ledger);
      return ledger;
    },
  };
}

export const recordOn = async (lab: Lab, host: string, name: 'primary' | 'epoch' | 'standing'): Promise<string> =>
  (await lab.host(host).exec(['cat', `/var/lib/standfast/${name}`])).stdout.trim();
