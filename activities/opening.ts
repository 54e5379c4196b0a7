import { log } from '@temporalio/activity';
import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acceptWrites,
  forgetSource,
  startReplication,
  stopReplication,
  willAcknowledge,
  willAcknowledgeNothing,
} from '../adapters/mariadb.ts';
import { ensureHeartbeat } from '../adapters/mariadb-heartbeat.ts';
import { memberNames } from '../domain/cluster.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedFromPrimary } from '../domain/election.ts';
import { leftOffSentence } from '../domain/events.ts';
import { gtidsBeyond, parseGtids, renderGtids } from '../domain/gtid.ts';
import type { ClusterObservation, ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf, runsBothThreads } from '../domain/observation.ts';
import type { SyncRecord } from '../domain/records.ts';
import { recordedPrimary, recordedSync } from '../domain/records.ts';
import type { PrepareResult } from '../domain/report.ts';
import { appliedBy } from '../domain/tail.ts';
import { makeWait, recordAsync, secureAcknowledgement, stopWaiting } from './acknowledging.ts';
import { checkAdoption, checkSettings } from './adopting.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities } from './contract.ts';
import { askServer } from './asking.ts';
import { lineageOf } from './electing.ts';
import { observe } from './observing.ts';
import { onEach } from './overtaken.ts';
import { requireOwn } from './own-history.ts';
import { keepOut } from './refusing.ts';
import { releaseRelayLogs } from './releasing.ts';
import { moveVip, proveVip } from './routing.ts';
import { runEventsOf } from './running-events.ts';
import { unsafe } from './refusal.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps } from './steps.ts';
import { followedBefore } from './unfinished.ts';

/** What the members agree on, or a refusal. */
interface Standing {
  readonly seen: ClusterObservation;
  readonly sync: SyncRecord | null;
}

interface Opened {
  readonly mode: 'lossless' | 'async';
  /** Who answered, and was not started by this: what one that stood still had received was not read. */
  readonly running: readonly HostName[];
}

/**
 * Opens `host` for writes under `authority`, with the promise that is recorded, starts its replicas and routes clients to it. Used when a
 * cluster is adopted, when its primary came back closed, and as the undo of a failover.
 */
export async function openRecorded(authority: Authority, host: HostName, steps: Steps): Promise<Opened> {
  const standing = await steps.run('check', host, () => checkStanding(authority, host));
  const promised = standing.sync?.mode ?? 'async';
  await steps.run('record', null, async () => {
    await authority.recordPrimary(host);
    if (standing.sync === null) await recordAsync(authority, []);
  });
  await steps.run('semi-sync', host, async () => {
    await keepOut(authority, host, steps);
    await (promised === 'lossless' ? makeWait : stopWaiting)(authority, host);
  });
  await steps.run('open', host, () => open(authority, host));
  const started = await steps.run('replicas', null, () => startReplicas(authority, host, standing));
  const mode = await steps.run('confirm', null, async () => {
    const ackers = standing.sync?.ackers ?? [];
    return (await secureAcknowledgement(authority, { primary: host, ackers, steps })).mode;
  });
  await steps.run('vip', host, async () => {
    await authority.withSession(host, ensureHeartbeat);
    await moveVip(authority, { host, deposed: null });
  });
  await steps.run('prove', host, () => proveVip(authority, { host, deposed: null }));
  const answering = standing.seen.hosts.filter(({ server }) => isAnswering(server)).map((one) => one.host);
  return { mode, running: answering.filter((one) => !started.includes(one)) };
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
  const own =
    primary.kind === 'nothing'
      ? await checkAdoption(cluster, host, seen)
      : checkSettings(host, observationOf(seen, host).server);
  if (primary.kind === 'known' && followedBefore(own, host) !== null)
    throw unsafe(
      host,
      `a failover to ${host} was ended before it was done; go on with standfast failover ${cluster.description.cluster}`,
    );
  if (own.readOnly) checkNobodyIsAhead(host, own, seen);
  const sync = recordedSync(answeredRecords(seen), members);
  if (sync.kind === 'undecided') throw unsafe(host, `it is not known who acknowledges writes: ${sync.why}`);
  return { seen, sync: sync.kind === 'known' ? sync.record : null };
}

/** A replica that received transactions which a closed primary lacks holds what was acknowledged; opening would fork the history. */
function checkNobodyIsAhead(host: HostName, status: ServerStatus, seen: ClusterObservation): void {
  const own = parseGtids(status.binlogState);
  for (const entry of seen.hosts) {
    if (entry.host === host || !isAnswering(entry.server) || entry.server.status.replication === null) continue;
    const beyond = renderGtids(gtidsBeyond(receivedFromPrimary(entry.server.status), own));
    if (beyond !== '')
      throw unsafe(
        host,
        `${entry.host} holds transactions that ${host} lacks (${beyond}); ${host} stays closed. Find out which history is right first`,
      );
  }
}

/** A member boots by itself and closed; one whose server is down is started, closed as well. */
export async function ensureRunning(authority: Authority, host: HostName): Promise<void> {
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

/**
 * Replicas boot with both threads stopped, and starting them throws their relay logs away, which may hold what was acknowledged. The primary
 * has it all, but until an acker has caught up again its word covers nothing: the record says `async` meanwhile.
 * One that cannot be started does not keep the others, or the primary, from their work.
 * @returns who had to be started, whether that came about or not
 */
async function startReplicas(
  authority: Authority,
  primary: HostName,
  { seen, sync }: Standing,
): Promise<readonly HostName[]> {
  const { cluster } = authority;
  const ackers = sync?.ackers ?? [];
  const followed = {
    ...{ cluster: cluster.description.cluster, primary, lineage: lineageOf(cluster, answeredRecords(seen)) },
    primaryHolds: appliedBy(statusIn(seen, primary)),
  };
  const waiting = seen.hosts.flatMap(({ host, server }) =>
    isAnswering(server) && waitsForStart(server.status, { primary, host, sync }) ? [host] : [],
  );
  if (waiting.some((host) => ackers.includes(host))) await recordAsync(authority, ackers);
  const started = await onEach(waiting, async (host) => {
    const isAcker = ackers.includes(host);
    // One that acknowledges takes what it wrote itself as well.
    if (!isAcker) requireOwn({ ...followed, host }, statusIn(seen, host));
    await authority.order(host, 'keep-relay');
    await authority.withSession(host, async (session) => {
      await stopReplication(session);
      // Also off: one that was taken off the record while it could not be told would acknowledge again.
      await (isAcker ? willAcknowledge : willAcknowledgeNothing)(session);
      await startReplication(session);
    });
  });
  for (const one of started)
    if (one.status === 'rejected') log.warn('a replica was not started', { why: String(one.reason) });
  return waiting;
}

function statusIn(seen: ClusterObservation, host: HostName): ServerStatus {
  const { server } = observationOf(seen, host);
  if (isAnswering(server)) return server.status;
  throw new AdapterFailure({ type: 'NotYet', host, message: `${host} did not answer: ${server?.why ?? 'not asked'}` });
}

function waitsForStart(
  status: ServerStatus,
  { primary, host, sync }: Pick<Standing, 'sync'> & { readonly primary: HostName; readonly host: HostName },
): boolean {
  const { replication, semiSync } = status;
  if (replication?.source !== primary) return false;
  const running = runsBothThreads(replication);
  const isAcker = sync?.ackers.includes(host) === true;
  // Off the record, nobody may acknowledge where somebody's word counts.
  return !running || (isAcker ? !semiSync.replicaActive : sync?.mode === 'lossless' && semiSync.replicaActive);
}

export const openingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'openPrimary'> => ({
  openPrimary: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps): Promise<PrepareResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [host] }),
      );
      const { mode, running } = await openRecorded(authority, host, steps);
      const events = await runEventsOf(authority, host);
      await releaseRelayLogs(authority, { primary: host, hosts: running });
      return {
        outcome: 'open',
        cluster,
        host,
        epoch: authority.epoch,
        mode,
        events,
        timeline: steps.timeline,
        sentence: `${host} is the primary of ${cluster}, open for writes through the VIP (epoch ${String(authority.epoch.number)}, ${mode})${leftOffSentence(events)}`,
      };
    }),
});
