import type { Check } from '../domain/checkup.ts';
import { countChecks, notAsked, wrong } from '../domain/checkup.ts';
import type { Inventory } from '../inventory/config.ts';
import { clusterDigest } from '../inventory/digest.ts';
import { findCluster } from '../inventory/load.ts';
import { openHosts } from './cli-hosts.ts';
import type { HostsApi } from './cli-io.ts';
import type { Session } from './cli-session.ts';
import { asJson, reportError } from './cli-session.ts';
import { EXIT, StandfastError } from './errors.ts';
import type { TemporalQuestion } from './examine-temporal.ts';
import { temporalNotAsked, temporalUnreached } from './examine-temporal.ts';
import { renderDoctor } from './render-doctor.ts';
import { wantedSchedules } from './schedule-plan.ts';

const MACHINE = 'this machine';

/** Looks at this machine, every host and Temporal, and prints what is there and what is not. Each part that is missing is an answer. */
export async function performDoctor(session: Session, cluster: string | undefined): Promise<number> {
  const { io, options } = session;
  io.err(cluster === undefined ? 'doctor, for every cluster' : `doctor, for ${cluster}`);
  try {
    const { hosts, checks: inventoryChecks } = await inventoryOrWhyNot(session);
    try {
      if (hosts !== null) requireCluster(hosts.inventory, cluster);
      const [local, temporal] = await Promise.all([
        hosts === null ? inventoryChecks : hosts.examine(cluster),
        examineTemporal(session, { inventory: hosts?.inventory ?? null, cluster }),
      ]);
      const checks = [...local, ...temporal];
      const { ok, bad, notAsked: skipped } = countChecks(checks);
      io.out(
        options.output === 'json'
          ? asJson('Doctor', { cluster: cluster ?? null, ok, bad, notAsked: skipped, checks })
          : renderDoctor(checks, io.paintOut),
      );
      return bad === 0 && skipped === 0 ? 0 : EXIT.findings;
    } finally {
      hosts?.close();
    }
  } catch (error) {
    return reportError(session, error);
  }
}

interface Opened {
  readonly hosts: HostsApi | null;
  /** Of an inventory that does not load. */
  readonly checks: readonly Check[];
}

async function inventoryOrWhyNot({ world }: Session): Promise<Opened> {
  try {
    return { hosts: await openHosts(world, 'no host was asked'), checks: [] };
  } catch (error) {
    if (!(error instanceof StandfastError)) throw error;
    const fix =
      'mend the inventory (docs/inventory.md), or name another one with STANDFAST_CONFIG; standfast init writes a first one';
    return {
      hosts: null,
      checks: [
        wrong({ code: 'inventory', where: MACHINE }, error.message, fix),
        notAsked({ code: 'secret', where: MACHINE }, 'the inventory was not read'),
        notAsked({ code: 'ssh', where: 'every host' }, 'the inventory was not read'),
        notAsked({ code: 'sql', where: 'every host' }, 'the inventory was not read'),
      ],
    };
  }
}

function requireCluster(inventory: Inventory, name: string | undefined): void {
  if (name === undefined) return;
  const found = findCluster(inventory, name);
  if (found.kind === 'unknown')
    throw new StandfastError({
      type: 'BadInput',
      message: `${found.message} (nothing was asked)`,
      facts: { changed: false, about: 'argument' },
    });
}

interface Scope {
  readonly inventory: Inventory | null;
  readonly cluster: string | undefined;
}

async function examineTemporal({ world }: Session, scope: Scope): Promise<readonly Check[]> {
  try {
    const client = await world.connect();
    try {
      return await client.examine(questionOf(scope));
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!(error instanceof StandfastError)) throw error;
    if (error.type === 'Internal')
      return [
        wrong({ code: 'temporal', where: 'Temporal' }, error.message, 'look at the log of Temporal'),
        ...temporalNotAsked('Temporal answered with an error', 'temporal'),
      ];
    return temporalUnreached(error);
  }
}

function questionOf({ inventory, cluster }: Scope): TemporalQuestion {
  if (inventory === null) return { wanted: null, cluster, watches: [], observers: [] };
  const clusters = inventory.clusters.filter(({ name }) => cluster === undefined || name === cluster);
  return {
    ...{ wanted: wantedSchedules(inventory), cluster },
    watches: clusters.map((one) => ({
      ...{ cluster: one.name, shard: one.policy.watch.shard },
      digest: clusterDigest(one, inventory.access),
    })),
    observers: [...new Set(clusters.flatMap((one) => one.policy.watch.observers))],
  };
}
