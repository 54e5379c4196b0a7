import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acknowledgeAsReplica,
  acknowledgeNothing,
  stopAcknowledging,
  waitApplied,
  waitForAcknowledgement,
} from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { SyncRecord } from '../domain/records.ts';
import { recordedPrimary, recordedSync } from '../domain/records.ts';
import type { AdmitResult } from '../domain/report.ts';
import { recordSync } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './authority.ts';
import type { Activities, Undone } from './contract.ts';
import { askServer, observe } from './observing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';
import { undoAll } from './undoing.ts';

const ATTACH_MS = 15_000;
const POLL_MS = 50;

interface Admission {
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
}

const unsafe = (host: HostName, message: string): AdapterFailure =>
  new AdapterFailure({ type: 'Unsafe', host, message });

async function checkAdmission(authority: Authority, host: HostName, steps: Steps): Promise<Admission> {
  const { description } = authority.cluster;
  const now = await observe(authority.cluster);
  const members = memberNames(description).length;
  const primary = recordedPrimary(answeredRecords(now), members);
  if (primary.kind !== 'known')
    throw unsafe(host, `${description.cluster} has no recorded primary; run standfast prepare first`);
  const { server } = observationOf(now, host);
  const source = isAnswering(server) ? (server.status.replication?.source ?? null) : null;
  if (source !== primary.record.host)
    throw unsafe(host, `${host} replicates from ${source ?? 'nobody'}, not from ${primary.record.host}`);
  await seen(authority, host, { steps, what: 'runs both threads', holds: runsBothThreads });
  const sync = recordedSync(answeredRecords(now), members);
  if (sync.kind === 'undecided') throw unsafe(host, `it is not known who acknowledges writes: ${sync.why}`);
  return { primary: primary.record.host, sync: sync.kind === 'known' ? sync.record : null };
}

const runsBothThreads = ({ replication }: ServerStatus): boolean =>
  replication?.receiver === 'running' && replication.applier === 'running';

/**
 * The record grows before the acker does: whoever reads it in between asks for one contribution too many, never for one too few.
 * `lossless` is written last, when the primary is seen to wait and the replica holds everything committed before it did.
 */
async function admitAcker(
  authority: Authority,
  host: HostName,
  work: Admission & { readonly steps: Steps },
): Promise<readonly HostName[]> {
  const { primary, sync, steps } = work;
  const ackers = [...new Set([...(sync?.ackers ?? []), host])].sort();
  const before = sync?.mode ?? 'async';
  await steps.run('record', null, () => recordSync(authority, { mode: before, ackers }));
  await steps.run('replica', host, () => authority.withSession(host, acknowledgeAsReplica));
  try {
    await steps.run('primary', primary, async () => {
      await authority.withSession(primary, waitForAcknowledgement);
      await seen(authority, primary, { steps, what: 'waits for an attached acker', holds: isWaiting });
      await seen(authority, host, { steps, what: 'acknowledges', holds: (status) => status.semiSync.replicaActive });
    });
    await steps.run('confirm', null, () => confirm(authority, { host, primary, ackers }));
  } catch (error) {
    // Nobody acknowledged before this admission: writes must not wait for it while it is tried again.
    if (before === 'async') await authority.withSession(primary, acknowledgeNothing);
    throw error;
  }
  return ackers;
}

async function confirm(
  authority: Authority,
  {
    host,
    primary,
    ackers,
  }: { readonly host: HostName; readonly primary: HostName; readonly ackers: readonly HostName[] },
): Promise<void> {
  const answer = await askServer(authority.cluster, primary);
  if (!isAnswering(answer)) throw new AdapterFailure({ type: 'Unreachable', host: primary, message: answer.why });
  const committed = answer.status.binlogPosition;
  const caughtUp = await authority.withSession(host, (session) => waitApplied(session, committed, ATTACH_MS));
  if (!caughtUp)
    throw new AdapterFailure({ type: 'NotYet', host, message: `${host} has not applied ${committed} yet` });
  await recordSync(authority, { mode: 'lossless', ackers });
}

const isWaiting = ({ semiSync }: ServerStatus): boolean =>
  semiSync.primaryActive &&
  semiSync.waitsWithoutReplica &&
  semiSync.waitPoint === 'AFTER_SYNC' &&
  BigInt(semiSync.timeoutMs || '0') > 2n ** 53n &&
  semiSync.clients > 0;

async function seen(
  authority: Authority,
  host: HostName,
  wanted: { readonly steps: Steps; readonly what: string; readonly holds: (status: ServerStatus) => boolean },
): Promise<void> {
  const bounds = { signal: wanted.steps.signal, everyMs: POLL_MS, forMs: ATTACH_MS };
  const found = await until(async () => {
    const answer = await askServer(authority.cluster, host);
    return isAnswering(answer) && wanted.holds(answer.status) ? true : null;
  }, bounds);
  if (found === null)
    throw new AdapterFailure({
      type: 'Unverified',
      host,
      message: `${host} was not seen to be one that ${wanted.what}`,
    });
}

/**
 * Takes `host` back out: it acknowledges nothing first, then the record shrinks. Nobody left in a cluster that was not lossless yet:
 * the primary stops waiting, so that writes go on as before.
 */
async function withdraw(authority: Authority, host: HostName): Promise<Undone> {
  const seenNow = await observe(authority.cluster);
  const known = recordedSync(answeredRecords(seenNow), memberNames(authority.cluster.description).length);
  const primary = recordedPrimary(answeredRecords(seenNow), memberNames(authority.cluster.description).length);
  const sync = known.kind === 'known' ? known.record : null;
  const others = (sync?.ackers ?? []).filter((acker) => acker !== host);
  const waiting = sync?.mode === 'lossless' && others.length > 0;
  const primaryHost = primary.kind === 'known' ? primary.record.host : null;
  return undoAll([
    ...(primaryHost !== null && !waiting
      ? [
          {
            what: `${primaryHost} waits for nobody`,
            work: async () => {
              await recordSync(authority, { mode: 'async', ackers: sync?.ackers ?? [] });
              await authority.withSession(primaryHost, acknowledgeNothing);
            },
          },
        ]
      : []),
    {
      // Only in this order: a replica that may still acknowledge stays in the record.
      what: `${host} acknowledges nothing and is no acker`,
      work: async () => {
        await authority.withSession(host, stopAcknowledging);
        await recordSync(authority, { mode: waiting ? 'lossless' : 'async', ackers: others });
      },
    },
  ]);
}

export const admittingActivities = (
  ports: Ports,
  hooks: StepHooks,
): Pick<Activities, 'admitReplica' | 'undoAdmission'> => ({
  undoAdmission: async ({ cluster, run, host }) =>
    withdraw(await claimEpoch(await ports.cluster(cluster), { run, include: [] }), host),

  admitReplica: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps): Promise<AdmitResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () => claimEpoch(managed, { run, include: [host] }));
      const admission = await steps.run('check', host, () => checkAdmission(authority, host, steps));
      const lossless = managed.description.mode === 'semisync';
      const ackers = lossless ? await admitAcker(authority, host, { ...admission, steps }) : [];
      return {
        outcome: 'admitted',
        cluster,
        host,
        epoch: authority.epoch,
        mode: lossless ? 'lossless' : 'async',
        ackers,
        timeline: steps.timeline,
      };
    }),
});
