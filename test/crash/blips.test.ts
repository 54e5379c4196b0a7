import { afterEach, expect, test } from 'vitest';
import type { Blip } from '../../chaos/blips/plan.ts';
import { Sitting } from '../../chaos/blips/sitting.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';
import { keepPolicy } from '../integration/policy.ts';

const cluster = useCluster();
keepPolicy(cluster);
let sitting: Sitting | undefined;

afterEach(async () => {
  await sitting?.close();
});

const blip = (round: number, of: Pick<Blip, 'kind' | 'host' | 'lastsMs'>): Blip => ({
  ...{ ...of, round, seed: 1, pauseMs: 300, delayMs: 900 },
});

/** Of every kind that has a rule or a time limit of its own. More: `npm run chaos -- blips`. */
const BLIPS: readonly Blip[] = [
  blip(1, { kind: 'watcher-and-replica-cut', host: 'db3', lastsMs: 1_500 }),
  blip(2, { kind: 'server-stopped', host: 'db1', lastsMs: 250 }),
  blip(3, { kind: 'full-connections', host: 'db1', lastsMs: 800 }),
  blip(4, { kind: 'slow-log-in', host: 'db1', lastsMs: 1_500 }),
  blip(5, { kind: 'watcher-stopped', host: null, lastsMs: 2_500 }),
  blip(6, { kind: 'clock-ahead', host: 'db2', lastsMs: 500 }),
];

test('a watcher that may fail over does so for none of the blips, and does when the primary is killed', async () => {
  const { lab, client } = cluster();
  sitting = await Sitting.open({ lab, client, temporal: TemporalServer.attach(lab) });
  for (const one of BLIPS) expect((await sitting.play(one)).violations).toEqual([]);
  expect(await sitting.judgeBooks()).toEqual([]);
  expect((await sitting.control()).broken).toEqual([]);
}, 240_000);
