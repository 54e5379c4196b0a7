import { setTimeout as sleep } from 'node:timers/promises';
import type { ProtectionState } from '../domain/protection.ts';
import { findCluster } from '../inventory/load.ts';
import { openHosts } from './cli-hosts.ts';
import type { HostsApi, RunsApi } from './cli-io.ts';
import type { Session } from './cli-session.ts';
import { asJson, reportError } from './cli-session.ts';
import type { StatusOrder } from './cli-status.ts';
import type { RunsQuestion } from './cluster-runs.ts';
import { EXIT, StandfastError } from './errors.ts';
import { explained } from './foreign-failures.ts';
import { renderStatus, renderStatusList } from './render-status.ts';
import type { StatusView } from './status-view.ts';
import { viewOf } from './status-view.ts';

/** How long a host may say nothing, at least. */
const SILENT_MS = 400;
const EVERY_MS = 2_000;
/** Clusters that are looked at together. */
const AT_ONCE = 20;

const EXIT_CODES: Readonly<Record<ProtectionState, number>> = {
  protected: 0,
  'not-protected': EXIT.findings,
  'not-known': EXIT.notKnown,
};
const WORST_FIRST: readonly ProtectionState[] = ['not-protected', 'not-known', 'protected'];

/** Asks the hosts from here and Temporal beside them, and prints what follows. Changes nothing, and starts no run. */
export async function performStatus(session: Session, order: StatusOrder): Promise<number> {
  const { io, world } = session;
  io.err(order.cluster === undefined ? 'status of every cluster' : `status of ${order.cluster}`);
  try {
    // It loads beside the hosts.
    const temporal = await world.openRuns();
    try {
      const hosts = await openHosts(world, 'no host was asked');
      try {
        const clusters = clustersOf(hosts, order.cluster);
        const silentMs = session.options.timeout ?? SILENT_MS;
        const look = (): Promise<readonly StatusView[]> => lookAtAll(clusters, { hosts, temporal, silentMs });
        return await (order.watch ? followed(session, look) : shown(session, await look()));
      } finally {
        hosts.close();
      }
    } finally {
      await temporal.close();
    }
  } catch (error) {
    return reportError(session, error);
  }
}

type Listed = Pick<RunsQuestion, 'cluster' | 'shard'>;

function clustersOf({ inventory }: HostsApi, name: string | undefined): readonly Listed[] {
  if (name === undefined)
    return inventory.clusters.map((one) => ({ cluster: one.name, shard: one.policy.watch.shard }));
  const found = findCluster(inventory, name);
  if (found.kind === 'unknown')
    throw new StandfastError({
      type: 'BadInput',
      message: `${found.message} (no host was asked)`,
      facts: { changed: false, about: 'argument' },
    });
  return [{ cluster: name, shard: found.cluster.policy.watch.shard }];
}

interface Looking {
  readonly hosts: HostsApi;
  readonly temporal: RunsApi;
  readonly silentMs: number;
}

async function lookAtAll(clusters: readonly Listed[], looking: Looking): Promise<readonly StatusView[]> {
  const views: StatusView[] = [];
  for (let first = 0; first < clusters.length; first += AT_ONCE)
    views.push(...(await Promise.all(clusters.slice(first, first + AT_ONCE).map((one) => lookAt(one, looking)))));
  return views.toSorted((one, other) => WORST_FIRST.indexOf(one.state) - WORST_FIRST.indexOf(other.state));
}

async function lookAt(one: Listed, { hosts, temporal, silentMs }: Looking): Promise<StatusView> {
  try {
    const [seen, runs] = await Promise.all([hosts.observe(one.cluster, silentMs), temporal.runs(one)]);
    return viewOf({ ...seen, runs });
  } catch (error) {
    // The inventory is read again when it has changed.
    throw explained(error, `${one.cluster} was not asked`);
  }
}

function shown({ io, options }: Session, views: readonly StatusView[]): number {
  io.out(options.output === 'json' ? jsonOf(views) : textOf(views, io.paintOut));
  return exitCodeOf(views);
}

/** Until Ctrl-C; a program that reads JSON gets a line for each look. */
async function followed(session: Session, look: () => Promise<readonly StatusView[]>): Promise<number> {
  const { io, options } = session;
  const interrupt = new AbortController();
  const forget = io.onInterrupt(() => {
    interrupt.abort();
  });
  const left = new Promise<null>((resolve) => {
    interrupt.signal.addEventListener('abort', () => {
      resolve(null);
    });
  });
  let exitCode = EXIT_CODES['not-known'];
  try {
    for (;;) {
      const views = await Promise.race([look(), left]);
      if (views === null) return exitCode;
      exitCode = exitCodeOf(views);
      if (options.output === 'json') io.out(jsonOf(views));
      else io.redraw(textOf(views, io.paintOut));
      await Promise.race([sleep(EVERY_MS), left]);
    }
  } finally {
    forget();
  }
}

const exitCodeOf = ([worst]: readonly StatusView[]): number => EXIT_CODES[worst?.state ?? 'not-known'];

const textOf = (views: readonly StatusView[], paint: Session['io']['paintOut']): string => {
  const [only, ...others] = views;
  return only !== undefined && others.length === 0 ? renderStatus(only, paint) : renderStatusList(views, paint);
};

function jsonOf(views: readonly StatusView[]): string {
  const [only, ...others] = views;
  return only !== undefined && others.length === 0 ? asJson('Status', only) : asJson('StatusList', { clusters: views });
}
