import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { until } from '../../lab/run.ts';
import { Child } from './child.ts';
import type { MeasuredFleet } from './figures.ts';
import { doubts, some, unwellOf } from './figures.ts';
import type { FloorOrders } from './floor-process.ts';
import type { HostsOrders, Served } from './hosts-process.ts';
import type { Etc } from './inventory.ts';
import { etcFile, writeEtc } from './inventory.ts';
import type { Looked } from './looks.ts';
import { clusterName, membersOf } from './members.ts';
import { total } from './server-writes.ts';
import { freshKey } from './ssh-servers.ts';
import { MeteredTemporal } from './temporal.ts';
import { WatchRun } from './watch-run.ts';
import { Watcher } from './watcher.ts';

export interface FleetOptions {
  readonly clusters: number;
  readonly seconds: number;
  readonly tell: (line: string) => void;
}

const PERIOD_MS = 1_000;
/** What the server writes without a watcher is counted for so long, after it has come to rest. */
const REST_MS = 5_000;
const IDLE_MS = 20_000;
const SETTLE_MS = 5_000;
/** Until all are watched: at first, and for every cluster. */
const [PATIENCE_MS, PATIENCE_EACH_MS] = [60_000, 500];
const ASK_EVERY_MS = 500;
const DETECT_MS = 30_000;

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** One watching process with many clusters, beside connections that are asked the same by hand. The hosts are simulated, the protocols are real. */
export async function benchFleet(options: FleetOptions): Promise<MeasuredFleet> {
  const folder = mkdtempSync(path.join(tmpdir(), 'standfast-fleet-'));
  const hosts = new Child<HostsOrders>('hosts-process');
  try {
    const key = freshKey();
    const served = await hosts.ask('serve', options.clusters, key.public);
    const password = randomBytes(18).toString('hex');
    const etc = { folder, clusters: options.clusters, periodMs: PERIOD_MS, password, key: key.private };
    writeEtc(etc, membersOf(options.clusters), served);
    const watched = await watchFleet({ ...options, hosts, etc });
    await hosts.ask('revive', victimOf(options.clusters));
    const floor = await floorShare({ ...options, etc, served, asks: watched.looked.usual });
    options.tell(`floor: ${floor.toFixed(2)} cores`);
    const { figures, reasons } = watched;
    return {
      ...figures,
      floor: { coreShare: rounded(floor) },
      ratio: rounded(figures.coreShare / floor, 1),
      invalid: reasons.length === 0 ? null : reasons.join('; '),
    };
  } finally {
    await hosts.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Stage extends FleetOptions {
  readonly hosts: Child<HostsOrders>;
  readonly etc: Etc;
}

interface Watched {
  readonly figures: Omit<MeasuredFleet, 'floor' | 'ratio' | 'invalid'>;
  readonly looked: Looked;
  readonly reasons: readonly string[];
}

async function watchFleet(stage: Stage): Promise<Watched> {
  const { etc, tell } = stage;
  const temporal = await MeteredTemporal.start(etc.folder);
  const connection = await Connection.connect({ address: temporal.address });
  let watcher: Watcher | null = null;
  try {
    await sleep(REST_MS);
    const idle = await writesDuring(temporal, IDLE_MS);
    tell(`without a watcher: ${idle.perSecond.toFixed(1)} writes a second (${idle.said})`);
    watcher = new Watcher({
      folder: etc.folder,
      temporal: temporal.address,
      inventory: etcFile(etc, 'standfast.yaml'),
      nodeOptions: process.execArgv,
    });
    return await measure({ ...stage, temporal, watcher, run: new WatchRun(connection), idlePerSecond: idle.perSecond });
  } finally {
    await watcher?.end();
    await connection.close();
    await temporal.end();
  }
}

interface Running extends Stage {
  readonly temporal: MeteredTemporal;
  readonly watcher: Watcher;
  readonly run: WatchRun;
  readonly idlePerSecond: number;
}

async function measure(running: Running): Promise<Watched> {
  const { clusters, seconds, hosts, temporal, watcher, run, tell } = running;
  const members = membersOf(clusters);
  const startSeconds = await untilAllWatched(running);
  tell(`every host is watched after ${startSeconds.toFixed(1)} s`);
  const toldBefore = (await run.told()).length;
  const before = await run.length();
  await hosts.ask('begin');
  const [cpu, hostsCpu, startedMs] = [watcher.cpuSeconds(), hosts.cpuSeconds(), performance.now()];
  const writes = await writesDuring(temporal, seconds * 1_000);
  const wall = (performance.now() - startedMs) / 1_000;
  const coreShare = (watcher.cpuSeconds() - cpu) / wall;
  const hostsShare = (hosts.cpuSeconds() - hostsCpu) / wall;
  const looked = await hosts.ask('end');
  const events = await run.eventsSince(before);
  const told = await run.told();
  tell(`watcher: ${coreShare.toFixed(2)} cores; simulated hosts: ${hostsShare.toFixed(2)} cores`);
  tell(`with it: ${writes.perSecond.toFixed(1)} writes a second (${writes.said})`);
  const figures = {
    ...{ name: 'fleet' as const, clusters, hosts: members.length, seconds, probes: looked.probes },
    coreShare: rounded(coreShare),
    eventsPerHealthyProbe: rounded(events / looked.probes, 6),
    serverWritesPerSecond: rounded(writes.perSecond - running.idlePerSecond, 1),
    heartbeatWritesPerSecond: rounded(looked.writes / wall, 1),
    requestsPerSecond: rounded(looked.requests / wall, 1),
    periodMs: looked.periodMs,
    startSeconds: rounded(startSeconds, 1),
    peakMib: watcher.peakMib(),
    detectedMs: await detection(running),
  };
  return { figures, looked, reasons: doubts({ looked, members, periodMs: PERIOD_MS, told, toldBefore }) };
}

/** Until all were looked at, and all are told to be well; and a moment more. @returns seconds until all were looked at */
async function untilAllWatched({ clusters, hosts, run, watcher }: Running): Promise<number> {
  const members = membersOf(clusters);
  const patienceMs = PATIENCE_MS + clusters * PATIENCE_EACH_MS;
  const startedMs = performance.now();
  const again = async (isThere: boolean): Promise<true | undefined> => {
    watcher.mustRun();
    return isThere ? true : sleep(ASK_EVERY_MS, undefined);
  };
  await until('a look at every host', async () => again((await hosts.ask('seen')) === members.length), patienceMs);
  const seconds = (performance.now() - startedMs) / 1_000;
  let unwell: readonly string[] = [];
  const areWell = async (): Promise<boolean> => {
    unwell = unwellOf(members, await run.told());
    return unwell.length === 0;
  };
  await until('that every host is told to be well', async () => again(await areWell()), patienceMs).catch(
    (error: unknown) => {
      throw new Error(`the fleet does not come to rest: ${some(unwell)}`, { cause: error });
    },
  );
  await sleep(SETTLE_MS);
  return seconds;
}

async function writesDuring(
  temporal: MeteredTemporal,
  ms: number,
): Promise<{ readonly perSecond: number; readonly said: string }> {
  const [before, startedMs] = [await temporal.writes(), performance.now()];
  await sleep(ms);
  const [after, seconds] = [await temporal.writes(), (performance.now() - startedMs) / 1_000];
  const perSecond = (total(after) - total(before)) / seconds;
  const said = [...after]
    .map(([operation, count]) => [operation, (count - (before.get(operation) ?? 0)) / seconds] as const)
    .filter(([, rate]) => rate > 0)
    .map(([operation, rate]) => `${operation} ${rate.toFixed(1)}`);
  return { perSecond, said: said.join(', ') };
}

/** The place of a primary in the middle of them. */
const victimOf = (clusters: number): number =>
  membersOf(clusters).findIndex((one) => one.cluster === clusterName(Math.floor(clusters / 2)));

const DEATH = ['PrimaryProcessDead', 'PrimaryHung', 'PrimaryHostDead'];

/** The watcher is there for this: the server of one primary among all of them dies. @returns milliseconds until it told of it */
async function detection({ clusters, hosts, run, tell }: Running): Promise<number> {
  const victim = membersOf(clusters)[victimOf(clusters)];
  if (victim === undefined) throw new Error('there is no cluster');
  const killedMs = await hosts.ask('kill', victimOf(clusters));
  const death = await until(
    `the death of ${victim.cluster}/${victim.name} from the watcher`,
    async () => {
      await sleep(100);
      const told = await run.told();
      return told.find((one) => one.cluster === victim.cluster && DEATH.includes(one.code));
    },
    DETECT_MS,
  );
  const detectedMs = Date.parse(death.at) - killedMs;
  tell(`${death.code} of ${victim.cluster}/${victim.name} is told after ${String(detectedMs)} ms`);
  return detectedMs;
}

interface FloorStage extends FleetOptions {
  readonly etc: Etc;
  readonly served: Served;
  readonly asks: Looked['usual'];
}

async function floorShare({ clusters, seconds, etc, served, asks }: FloorStage): Promise<number> {
  const floor = new Child<FloorOrders>('floor-process');
  try {
    const { password, periodMs } = etc;
    await floor.ask('start', { clusters, port: served.sqlPort, password, periodMs, asks });
    await sleep(SETTLE_MS);
    const [cpu, startedMs] = [floor.cpuSeconds(), performance.now()];
    await sleep(seconds * 1_000);
    return (floor.cpuSeconds() - cpu) / ((performance.now() - startedMs) / 1_000);
  } finally {
    await floor.end();
  }
}
