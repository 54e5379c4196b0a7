import type { Stage } from '../chaos/stage.ts';
import { CLUSTER, restore, setPlainStage, startWorker } from '../chaos/stage.ts';
import { declareUploads, inUploads, makeUploads, UPLOADS, uploadsOn } from '../lab/filesets.ts';
import type { Lab } from '../lab/lab.ts';
import type { BenchOptions } from './failover.ts';
import type { Measured } from './figures.ts';
import { compare } from './figures.ts';
import { by, exchangeKeys, KEY } from './by-hand.ts';

const SOURCE = 'db1';
const TARGETS = ['db2', 'db3'] as const;
const FILES = 50_000;
const PER_FOLDER = 500;
const order = { cluster: CLUSTER, fileset: 'uploads' } as const;

/** Fifty thousand small files to two empty hosts at once: a run of `syncFiles`, beside rsync as a cron line starts it. Then again with nothing new. */
export async function benchFiles(options: BenchOptions): Promise<Measured> {
  const { name, rounds, tell } = options;
  const stage = await setPlainStage(options.lab, 1);
  await restore(stage, 'plain');
  await makeFiles(stage.lab);
  for (const target of TARGETS) await exchangeKeys(stage.lab, SOURCE, target);
  const worker = await startWorker(stage, 'files');
  const times = { standfast: [] as number[], floor: [] as number[] };
  const ways = { floor: () => byCron(stage.lab), standfast: () => stage.client.syncFiles(order) };
  for (let round = 1; round <= rounds; round += 1) {
    for (const who of ['floor', 'standfast'] as const) {
      await emptyTargets(stage.lab);
      const full = await timed(ways[who]);
      times[who].push(full);
      const nothingNew = await timed(ways[who]);
      await requireEqual(stage);
      tell(`${who} ${String(round)}: ${full.toFixed(0)} ms; again, with nothing new: ${nothingNew.toFixed(0)} ms`);
    }
  }
  await worker.kill();
  return compare(name, times, { lostAcknowledged: 0, twoWriters: 0 });
}

async function makeFiles(lab: Lab): Promise<void> {
  declareUploads(lab);
  await makeUploads(lab);
  const make = `for ((d = 0; d < ${String(FILES / PER_FOLDER)}; d++)); do mkdir "$d"; for ((f = 0; f < ${String(PER_FOLDER)}; f++)); do echo "$d $f" >"$d/$f"; done; done`;
  await inUploads(lab, SOURCE, make);
}

async function emptyTargets(lab: Lab): Promise<void> {
  const empty = `cd /; rm -rf ${UPLOADS} /var/lib/standfast/files; mkdir -p ${UPLOADS}`;
  await Promise.all(TARGETS.map((host) => inUploads(lab, host, empty)));
}

async function byCron(lab: Lab): Promise<void> {
  const shell = `ssh -F /dev/null -T -o BatchMode=yes -i ${KEY} -c aes128-gcm@openssh.com`;
  await Promise.all(
    TARGETS.map((host) =>
      by(lab.host(SOURCE), `rsync -aHAXS --delete -e '${shell}' ${UPLOADS} root@${lab.host(host).address}:${UPLOADS}`),
    ),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function requireEqual({ lab }: Stage): Promise<void> {
  const [wanted, ...found] = await Promise.all([SOURCE, ...TARGETS].map((host) => uploadsOn(lab, host)));
  if (found.some((one) => one !== wanted)) throw new Error('a target is not in step');
}
