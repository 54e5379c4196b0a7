import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acceptWrites,
  acknowledgeNothing,
  forgetSource,
  runEvents,
  startReplication,
  waitForAcknowledgement,
  willAcknowledge,
} from '../adapters/mariadb.ts';
import { memberNames } from '../domain/cluster.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ClusterObservation, ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import { judgePrimarySettings } from '../domain/preflight.ts';
import type { SyncRecord } from '../domain/records.ts';
import { recordedPrimary, recordedSync } from '../domain/records.ts';
import type { PrepareResult } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './authority.ts';
import type { Activities, OfOperation } from './contract.ts';
import { askServer, observe } from './observing.ts';
import { ensureHeartbeat, moveVip, proveVip } from './routing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps } from './steps.ts';

/** What the members agree on, or a refusal. */
interface Standing {
  readonly seen: ClusterObservation;
  readonly sync: SyncRecord | null;
}

const unsafe = (host: HostName, message: string): AdapterFailure =>
  new AdapterFailure({ type: 'Unsafe', host, message });

/**
 * Opens `host` for writes under `authority`, with the promise that is recorded, starts its replicas and routes clients to it. Used when a
 * cluster is adopted, when its primary came back closed, and as the undo of a failover.
 */
export async function openRecorded(authority: Authority, host: HostName, steps: Steps): Promise<'lossless' | 'async'> {
  const standing = await steps.run('check', host, () => checkStanding(authority, host));
  const mode = standing.sync?.mode ?? 'async';
  await steps.run('record', null, async () => {
    await authority.record('record-primary', { host });
    if (standing.sync === null) await authority.record('record-sync', { mode: 'async', ackers: '', k: '0' });
  });
  await steps.run('semi-sync', host, () =>
    authority.withSession(host, mode === 'lossless' ? waitForAcknowledgement : acknowledgeNothing),
  );
  await steps.run('open', host, () => open(authority, host));
  await steps.run('replicas', null, () => startReplicas(authority, host, standing));
  await steps.run('vip', host, async () => {
    await ensureHeartbeat(authority, host);
    await moveVip(authority, host);
  });
  await steps.run('prove', host, () => proveVip(authority, host));
  return mode;
}

async function checkStanding(authority: Authority, host: HostName): Promise<Standing> {
  const { cluster } = authority;
  await ensureRunning(authority, host);
  const seen = await observe(cluster);
  const members = memberNames(cluster.description).length;
  const primary = recordedPrimary(answeredRecords(seen), members);
  if (primary.kind === 'undecided') throw unsafe(host, `the members do not agree on a primary: ${primary.why}`);
  if (primary.kind === 'known' && primary.record.host !== host)
    throw unsafe(
      host,
      `${primary.record.host} is recorded as primary (epoch ${String(primary.record.epoch)}); ${host} stays closed. To make it primary, use standfast failover ${cluster.description.cluster} --to ${host}`,
    );
  const writer = seen.hosts.find(
    (entry) => entry.host !== host && isAnswering(entry.server) && !entry.server.status.readOnly,
  );
  if (writer !== undefined)
    throw unsafe(host, `${writer.host} accepts writes as well; ${host} is not opened beside it`);
  checkSettings(host, observationOf(seen, host).server);
  const sync = recordedSync(answeredRecords(seen), members);
  if (sync.kind === 'undecided') throw unsafe(host, `it is not known who acknowledges writes: ${sync.why}`);
  return { seen, sync: sync.kind === 'known' ? sync.record : null };
}

function checkSettings(host: HostName, server: ClusterObservation['hosts'][number]['server']): ServerStatus {
  if (!isAnswering(server)) throw new AdapterFailure({ type: 'Unreachable', host, message: `${host} does not answer` });
  const obstacles = judgePrimarySettings(server.status);
  if (obstacles.length > 0)
    throw unsafe(
      host,
      `${host} lacks settings of a primary: ${obstacles.map((one) => `${one.explains} (${one.remedy})`).join('; ')}`,
    );
  return server.status;
}

/** A member boots by itself and closed; one whose server is down is started, closed as well. */
async function ensureRunning(authority: Authority, host: HostName): Promise<void> {
  const { address, interface: device } = authority.cluster.vip;
  const facts = await authority.cluster.helper(host).request('observe', { vip: address, interface: device });
  if (facts['fenced'] === 'yes') await authority.order(host, 'unfence');
  if (facts['mysqld'] !== 'running') await authority.order(host, 'service-start');
}

async function open(authority: Authority, host: HostName): Promise<void> {
  const before = await askServer(authority.cluster, host);
  await authority.withSession(host, async (session) => {
    if (isAnswering(before) && before.status.replication !== null) await forgetSource(session);
    await acceptWrites(session);
  });
  const after = await askServer(authority.cluster, host);
  if (!isAnswering(after) || after.status.readOnly)
    throw new AdapterFailure({
      type: 'Unverified',
      host,
      message: `${host} was told to accept writes and still refuses them`,
    });
}

/** Replicas boot with both threads stopped. Their relay logs are kept first: they may hold what exists nowhere else. */
async function startReplicas(authority: Authority, primary: HostName, standing: Standing): Promise<void> {
  const waiting = standing.seen.hosts.filter((entry) => {
    const replication = isAnswering(entry.server) ? entry.server.status.replication : null;
    return replication !== null && replication.source === primary && entry.host !== primary;
  });
  await Promise.all(
    waiting.map(async ({ host, server }) => {
      const status = isAnswering(server) ? server.status : null;
      const running = status?.replication?.receiver === 'running' && status.replication.applier === 'running';
      const isAcker = standing.sync?.ackers.includes(host) === true;
      if (running && (!isAcker || status.semiSync.replicaActive)) return;
      await authority.order(host, 'keep-relay');
      await authority.withSession(host, async (session) => {
        if (isAcker) await willAcknowledge(session);
        await startReplication(session);
      });
    }),
  );
}

export const openingActivities = (
  ports: Ports,
  hooks: StepHooks,
): Pick<Activities, 'openPrimary' | 'settleCluster'> => ({
  openPrimary: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps): Promise<PrepareResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () => claimEpoch(managed, { run, include: [host] }));
      const mode = await openRecorded(authority, host, steps);
      if (managed.events) await authority.withSession(host, runEvents);
      return {
        outcome: 'open',
        cluster,
        host,
        epoch: authority.epoch,
        mode,
        timeline: steps.timeline,
        sentence: `${host} is the primary of ${cluster}, open for writes through the VIP (epoch ${String(authority.epoch.number)}, ${mode})`,
      };
    }),

  settleCluster: async ({ cluster, run, primary }: OfOperation & { readonly primary: HostName }) => {
    const managed = await ports.cluster(cluster);
    const authority = await claimEpoch(managed, { run, include: [primary] });
    await authority.withSession(primary, async (session) => {
      await forgetSource(session);
      if (managed.events) await runEvents(session);
    });
    const databases = managed.description.hosts.map((host) => host.name);
    const kept = authority.members.filter((member) => databases.includes(member));
    await Promise.all(kept.map((host) => authority.order(host, 'release-relay')));
  },
});
