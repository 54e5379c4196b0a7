import { Context, log } from '@temporalio/activity';
import type { ClusterPorts, WatchedCluster, WatchPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import { recordedPrimary } from '../domain/records.ts';
import type { WatchMemory } from '../domain/watch.ts';
import { FRESH } from '../domain/watch.ts';
import { keepBeating } from './beats.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { readRecords } from './confirming.ts';
import type { WatchActivities } from './watch-contract.ts';

const RELOAD_EVERY_MS = 1_000;
const LEARN_EVERY_MS = 5_000;

/** Watches one cluster for as long as it is asked to: finds out who is primary, and anew whenever that may have changed. */
async function watchCluster(ports: WatchPorts, name: string, signal: AbortSignal): Promise<void> {
  let memory: WatchMemory = { ...FRESH, coolUntilMs: await coolUntil(ports, name) };
  while (!signal.aborted) {
    const cluster = await ports.cluster(name);
    const primary = await primaryOf(cluster);
    if (primary === null) {
      await pause(LEARN_EVERY_MS, signal);
      continue;
    }
    const turn = new AbortController();
    const watch = new ClusterWatch({
      cluster,
      primary,
      runs: ports.runs,
      memory,
      onOperation: (learnt) => {
        memory = learnt;
        turn.abort();
      },
    });
    const either = AbortSignal.any([signal, turn.signal]);
    const deposed = untilDeposed(cluster, primary, either).then(() => {
      turn.abort();
    });
    await Promise.all([watch.run(either), deposed]);
  }
}

/** An operation that was not ours may have made somebody else primary. */
async function untilDeposed(cluster: ClusterPorts, primary: HostName, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted;
  for (;;) {
    await pause(LEARN_EVERY_MS, signal);
    if (isOver()) return;
    const known = await primaryOf(cluster);
    if (known !== null && known !== primary) return;
  }
}

/** By the records of a majority; null: there is none, or too few members answer. */
async function primaryOf(cluster: ClusterPorts): Promise<HostName | null> {
  const members = memberNames(cluster.description);
  const recorded = recordedPrimary([...(await readRecords(cluster, members)).values()], members.length);
  return recorded.kind === 'known' ? recorded.record.host : null;
}

async function coolUntil(ports: WatchPorts, name: string): Promise<number> {
  const { watch } = (await ports.cluster(name)).description;
  const since = await ports.runs.sinceLastFailover(name, watch.cooldownMs);
  return since === null ? 0 : performance.now() + watch.cooldownMs - since;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

/** The watches of a shard: one for every cluster that the inventory has in it now. */
class Shard {
  readonly #ports: WatchPorts;
  readonly #running = new Map<
    string,
    { readonly version: string; readonly stop: AbortController; readonly ended: Promise<void> }
  >();
  #fail: (error: unknown) => void = () => undefined;
  /** Rejects with a fault of a watch; silence of hosts is none. */
  readonly failed = new Promise<never>((_, reject) => (this.#fail = reject));

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  async follow(wanted: readonly WatchedCluster[]): Promise<void> {
    for (const [name, { version }] of this.#running)
      if (!wanted.some((one) => one.cluster === name && one.version === version)) await this.#stop(name);
    for (const { cluster, version } of wanted) {
      if (this.#running.has(cluster)) continue;
      const stop = new AbortController();
      const ended = watchCluster(this.#ports, cluster, stop.signal);
      ended.catch(this.#fail);
      this.#running.set(cluster, { version, stop, ended });
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.stop.abort();
    await running?.ended;
  }
}

/** An inventory that cannot be read now changes nothing: what is watched goes on being watched. */
async function wantedOf(ports: WatchPorts, shard: string): Promise<readonly WatchedCluster[] | null> {
  try {
    return await ports.watched(shard);
  } catch (error) {
    if (!(error instanceof AdapterFailure)) throw error;
    log.warn('the inventory cannot be read, so the watch goes on as it was', { why: error.message });
    return null;
  }
}

export const watchActivities = (ports: WatchPorts): WatchActivities => ({
  watchShard: ({ shard }) =>
    keepBeating(async () => {
      const { cancellationSignal: signal } = Context.current();
      const watches = new Shard(ports);
      const following = async (): Promise<void> => {
        while (!signal.aborted) {
          const wanted = await wantedOf(ports, shard);
          if (wanted !== null) await watches.follow(wanted);
          await pause(RELOAD_EVERY_MS, signal);
        }
      };
      try {
        await Promise.race([following(), watches.failed]);
      } finally {
        await watches.stop();
      }
      signal.throwIfAborted();
    }),
});
