import type { Loss } from '../../lab/cuts.ts';
import { slowGreeting } from '../../lab/slow-greeting.ts';
import type { Act } from './acts.ts';
import { PRIMARY, REPLICAS } from './catalogue.ts';
import type { Blip } from './plan.ts';
import type { Scene } from './scene.ts';
import { hostOf } from './scene.ts';

const LOSS: Loss = { percent: 30 };
const WATCHER = 'control';

type Pair = readonly [string, string];

/** The network is changed by one at a time: each change writes the whole table. */
const between =
  (pairsOf: (blip: Blip) => readonly Pair[], how: 'both' | Loss): Act =>
  async ({ stage: { lab } }, blip) => {
    const pairs = pairsOf(blip);
    for (const [one, other] of pairs) await lab.cut(one, other, how);
    return async () => {
      for (const [one, other] of pairs) await lab.join(one, other);
    };
  };

const unplugged =
  (nameOf: (blip: Blip) => string): Act =>
  async ({ stage: { lab } }, blip) => {
    await lab.linkDown(nameOf(blip));
    return () => lab.linkUp(nameOf(blip));
  };

async function greetsLate(scene: Scene, { host, delayMs }: Blip): Promise<() => Promise<void>> {
  const { app, control } = scene.stage.lab;
  const to = hostOf(scene, host);
  const end = await slowGreeting({ from: control, through: app, to, delayMs });
  await to.sql('KILL USER standfast').catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return end;
}

export const networkActs = {
  'watcher-cut': between(({ host }) => [[WATCHER, host ?? PRIMARY]], 'both'),
  'watcher-and-replica-cut': between(
    ({ host }) => [
      [WATCHER, PRIMARY],
      [host ?? '', PRIMARY],
    ],
    'both',
  ),
  'watcher-isolated': unplugged(() => WATCHER),
  'replica-isolated': unplugged(({ host }) => host ?? ''),
  'watcher-loss': between(() => [PRIMARY, ...REPLICAS].map((host): Pair => [WATCHER, host]), LOSS),
  'primary-loss': between(() => [WATCHER, 'app', ...REPLICAS].map((other): Pair => [other, PRIMARY]), LOSS),
  'slow-log-in': greetsLate,
} as const satisfies Readonly<Record<string, Act>>;
