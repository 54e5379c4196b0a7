import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import { inUploads, uploadsOn } from '../../lab/filesets.ts';
import { until } from '../../lab/run.ts';
import type { LabWorker } from '../../lab/workers.ts';
import type { Stage } from '../stage.ts';
import { CLUSTER as cluster, startWorker } from '../stage.ts';
import { BREAKAGES, MOUNT } from './faults.ts';
import type { BreakageKind } from './faults.ts';
import { lostFiles } from './judge.ts';
import type { FilesRound } from './plan.ts';

export const HOSTS = ['db1', 'db2', 'db3'] as const;
const TARGETS = ['db2', 'db3'] as const;
const order = { cluster, fileset: 'uploads' } as const;
const CONVERGES_MS = 60_000;

const isBreakage = (kind: string): kind is BreakageKind => kind in BREAKAGES;
const asideOn = (lab: Lab, host: string): Promise<string> =>
  inUploads(lab, host, 'find .standfast-aside -type f -print0 2>/dev/null | xargs -0r sha256sum');

/** The application's own work on the source, and the names that may go from the targets for it. */
async function work(lab: Lab, { round, deletes }: FilesRound): Promise<ReadonlySet<string>> {
  const earlier = ['a', 'b', 'c'].slice(0, deletes).map((name) => `./r${String(round - 1)}/${name}`);
  await inUploads(
    lab,
    'db1',
    `rm -f ${earlier.join(' ')}; mkdir -p r${String(round)}; for i in a b c; do head -c 2000 /dev/urandom >r${String(round)}/$i; done; head -c 4M /dev/urandom >big`,
  );
  return new Set([...earlier, './big']);
}

export class FilesStage {
  readonly #stage: Stage;
  #worker: LabWorker;
  #workers = 1;

  private constructor(stage: Stage, worker: LabWorker) {
    this.#stage = stage;
    this.#worker = worker;
  }

  static async open(stage: Stage): Promise<FilesStage> {
    return new FilesStage(stage, await startWorker(stage, 'files-1'));
  }

  async close(): Promise<void> {
    if (this.#worker.isRunning()) await this.#worker.kill();
  }

  /** @returns one sentence for everything that is not as it has to be, and how the run ended */
  async play(round: FilesRound): Promise<{ readonly broken: readonly string[]; readonly ending: string }> {
    const { lab, client } = this.#stage;
    const before = await Promise.all(TARGETS.map((host) => uploadsOn(lab, host)));
    const mayGo = await work(lab, round);
    if (round.afterMs === null) await this.#strike(round);
    const run = client.syncFiles(order).then(
      ({ outcome }) => outcome,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (round.afterMs !== null) {
      await sleep(round.afterMs);
      await this.#strike(round);
    }
    const ending = await run;
    await this.#mend(round);
    const lost = await Promise.all(
      TARGETS.map(async (host, index) => {
        const after = { files: await uploadsOn(lab, host), aside: await asideOn(lab, host) };
        return lostFiles(before[index] ?? '', after, mayGo).map((line) => `${host} lost ${line}`);
      }),
    );
    return { broken: [...lost.flat(), ...(await this.#converge())], ending };
  }

  async #strike({ kind, host }: FilesRound): Promise<void> {
    const { lab } = this.#stage;
    if (isBreakage(kind)) {
      await inUploads(lab, host, `cd /; ${BREAKAGES[kind].breaks}`);
      return;
    }
    switch (kind) {
      case 'worker':
        await this.#worker.kill();
        this.#workers += 1;
        this.#worker = await startWorker(this.#stage, `files-${String(this.#workers)}`);
        return;
      case 'rsync-of-source':
      case 'rsync-of-target':
        await inUploads(lab, host, 'kill -KILL $(pidof rsync) 2>/dev/null || true');
        return;
      case 'host-of-source':
      case 'host-of-target':
        await lab.host(host).powerOff();
        await lab.host(host).powerOn();
        await inUploads(lab, host, MOUNT);
    }
  }

  async #mend({ kind, host }: FilesRound): Promise<void> {
    if (isBreakage(kind)) await inUploads(this.#stage.lab, host, `cd /; ${BREAKAGES[kind].mends}`);
  }

  /** The next runs bring every host in step. */
  async #converge(): Promise<readonly string[]> {
    const { client, lab } = this.#stage;
    let why = '';
    try {
      await until(
        'a run that ends well',
        () =>
          client.syncFiles(order).then(
            () => true as const,
            (error: unknown) => {
              why = String(error);
              return undefined;
            },
          ),
        CONVERGES_MS,
      );
    } catch {
      return [`does not converge: ${why}`];
    }
    const wanted = await uploadsOn(lab, 'db1');
    const found = await Promise.all(TARGETS.map((host) => uploadsOn(lab, host)));
    return TARGETS.filter((_, index) => found[index] !== wanted).map((host) => `${host} is not in step`);
  }
}
