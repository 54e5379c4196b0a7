import { afterAll, expect, test } from 'vitest';
import { prepareFiles } from '../../chaos/files/campaign.ts';
import type { FilesRound } from '../../chaos/files/plan.ts';
import { describeFilesRound } from '../../chaos/files/plan.ts';
import { FilesStage } from '../../chaos/files/round.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';
import { keepPolicy } from '../integration/policy.ts';

const cluster = useCluster();
keepPolicy(cluster);
let stage: FilesStage | undefined;
afterAll(async () => {
  await stage?.close();
});

/** More: `npm run chaos -- files`. */
const ROUNDS: readonly FilesRound[] = [
  { round: 1, kind: 'source-emptied-with-marker', host: 'db1', afterMs: 600, deletes: 0 },
  { round: 2, kind: 'source-unmounted', host: 'db1', afterMs: 300, deletes: 3 },
  { round: 3, kind: 'target-missing', host: 'db2', afterMs: null, deletes: 2 },
  { round: 4, kind: 'rsync-of-target', host: 'db3', afterMs: 900, deletes: 1 },
  { round: 5, kind: 'host-of-target', host: 'db2', afterMs: 700, deletes: 0 },
];

test('no file is lost whatever becomes of a folder, a process or a host in the middle, and the next run converges', async () => {
  const { lab, client, restore } = cluster();
  await restore('cluster');
  stage = await FilesStage.open({ lab, client, temporal: TemporalServer.attach(lab) });
  await prepareFiles({ lab, client });
  for (const round of ROUNDS)
    expect([describeFilesRound(round), (await stage.play(round)).broken]).toEqual([describeFilesRound(round), []]);
}, 240_000);
