import type { Ending } from './ending.ts';
import { allFacts, followsSoundly, primaryOf } from './outside.ts';
import type { Afterwards } from './plan.ts';
import { follow, look } from './recovery.ts';
import type { Scene } from './scene.ts';

/** What is done with a cluster that is well again: the old primary returns, a replica stops counting and counts again. */
export async function playAfterwards(
  scene: Scene,
  { wanted, endings }: { readonly wanted: readonly Afterwards[]; readonly endings: readonly Ending[] },
): Promise<readonly Ending[]> {
  const done: Ending[] = [];
  for (const one of wanted) done.push(...(one === 'rejoin' ? await rejoin(scene, endings) : await outAndIn(scene)));
  return done;
}

/** Of the last failover; none when there was none, or when it is primary again. */
async function rejoin(scene: Scene, endings: readonly Ending[]): Promise<readonly Ending[]> {
  const host = endings.findLast(({ kind }) => kind === 'failed-over')?.oldPrimary ?? null;
  const primary = primaryOf(await allFacts(scene.stage.lab));
  return host === null || host === primary?.host ? [] : [await follow(scene, ['rejoin', host])];
}

/** A replica of which nothing bad is said. */
async function outAndIn(scene: Scene): Promise<readonly Ending[]> {
  const [hosts, looked] = await Promise.all([allFacts(scene.stage.lab), look(scene)]);
  const primary = primaryOf(hosts);
  if (primary === null || 'error' in looked) return [];
  const isNamed = (host: string): boolean =>
    looked.verdict.findings.some((one) => one.host === host && one.severity === 'bad');
  const host = hosts.find((one) => followsSoundly(one, primary, hosts) && !isNamed(one.host))?.host;
  if (host === undefined) return [];
  const out = await follow(scene, ['acker remove', host]);
  return out.kind === 'done' ? [out, await follow(scene, ['acker add', host])] : [out];
}
