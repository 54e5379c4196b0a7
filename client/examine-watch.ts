import type { Check } from '../domain/checkup.ts';
import { fine, wrong } from '../domain/checkup.ts';
import type { Link } from './connection.ts';
import type { WatchSight } from './watch.ts';
import { lookAtWatch, watches } from './watch.ts';

/** A cluster that is to be watched. */
export interface WantedWatch {
  readonly cluster: string;
  readonly shard: string;
  /** `clusterDigest` by the inventory that was read here. */
  readonly digest: string;
}

const PLACE = { code: 'watch', where: 'Temporal' };
/** More clusters than these are only counted. */
const NAMED = 5;

export async function examineWatches(link: Link, wanted: readonly WantedWatch[]): Promise<readonly Check[]> {
  const shards = [...new Set(wanted.map(({ shard }) => shard))];
  const judged = shards.map(async (shard) => {
    const sight = await lookAtWatch(link, { shard });
    return judgeWatch(
      shard,
      sight,
      wanted.filter((one) => one.shard === shard),
    );
  });
  return (await Promise.all(judged)).flat();
}

/** @param wanted  the clusters of the shard */
export function judgeWatch(shard: string, sight: WatchSight, wanted: readonly WantedWatch[]): readonly Check[] {
  const { watcher } = sight;
  if (watcher === null)
    return [
      wrong(
        PLACE,
        `nobody watches the clusters of shard ${shard}: no failover starts by itself, and a primary that restarts stays closed`,
        'standfast worker start; a watch that somebody ended begins again when a worker is started',
      ),
    ];
  const faults = wanted.map((one) => faultOf(one, { ...sight, watcher }));
  const well = wanted.filter((_, index) => faults[index] === null).map(({ cluster }) => cluster);
  const which = well.length > NAMED ? `${String(well.length)} clusters` : well.join(', ');
  return [
    ...(well.length === 0 ? [] : [fine(PLACE, `${watcher} watches ${which} (shard ${shard})`)]),
    ...faults.filter((fault) => fault !== null),
  ];
}

function faultOf(
  { cluster, shard, digest }: WantedWatch,
  sight: WatchSight & { readonly watcher: string },
): Check | null {
  const { watcher, details } = sight;
  const found = details?.clusters[cluster];
  if (found !== digest)
    return wrong(
      PLACE,
      found === undefined
        ? `${watcher}, which watches shard ${shard}, has not taken up ${cluster}: no failover of it starts by itself`
        : `${watcher} watches ${cluster} by another inventory than this one`,
      'it reads STANDFAST_CONFIG anew every second: bring this inventory to its machine; its log says when it cannot be read',
    );
  if (watches(sight, cluster)) return null;
  return wrong(
    PLACE,
    `${watcher} watches nobody of ${cluster}: no majority of its members answered and agreed on a primary`,
    `see standfast status ${cluster}; standfast prepare ${cluster} HOST, if it was never prepared`,
  );
}
