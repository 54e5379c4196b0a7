import { Context } from '@temporalio/activity';
import type { ClusterPorts, HelperAnswerFields, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { databaseBytes } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost } from '../domain/cluster.ts';
import type { ServerSettings } from '../domain/likeness.ts';
import { judgeLikeness, judgeServerId } from '../domain/likeness.ts';
import type { ClusterObservation, HostObservation } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { Obstacle } from '../domain/preflight.ts';
import { judgeFitness, judgePlacement, judgePrimarySettings } from '../domain/preflight.ts';
import type { Progress } from '../domain/progress.ts';
import { noteProgress, standsStill } from '../domain/progress.ts';
import { beat } from './beats.ts';
import type { Activities, ProvisionPlan, Snapshot, Transfer } from './contract.ts';
import { primaryOf, syncOf } from './electing.ts';
import { configuration, defaultSettings, ensureHelper } from './equipping.ts';
import { JobAttempt } from './job-attempt.ts';
import { observe } from './observing.ts';
import { requireHost, unsafe } from './refusal.ts';

const POLL_MS = 200;
const ORDER_MS = 30_000;
/** Of a stream, whose bytes are counted: a backup waits for a long ALTER. Preparing a snapshot takes as long as it takes. */
const STANDSTILL_MS = 3_600_000;

interface ProvisionRequest {
  readonly host: HostName;
  readonly from: HostName | null;
}

async function plan(cluster: ClusterPorts, request: ProvisionRequest): Promise<ProvisionPlan> {
  const { description } = cluster;
  const { host: target } = request;
  for (const name of [target, request.from ?? target]) requireHost(description, name);
  const seen = await observe(cluster);
  const primary = primaryOf(cluster, seen);
  const donor = request.from ?? primary;
  if (target === primary || target === donor)
    throw unsafe(target, `${target} is the ${target === primary ? 'primary' : 'donor'} itself; nothing was changed`);
  const obstacles = [
    ...judgePlacement(description, describeHost(description, target)),
    ...obstaclesOnDonor(observationOf(seen, donor)),
    ...obstacleOfAcker(cluster, { seen, target }),
    ...obstaclesOnTarget(observationOf(seen, target)),
  ];
  refuseFor(target, obstacles);
  for (const host of new Set([donor, primary, target])) await ensureHelper(cluster, host);
  refuseFor(target, await differences(cluster, { seen, primary, target }));
  const estimatedBytes = await bytesOn(cluster, donor);
  await cluster.helper(target).request('job-check', { bytes: String(estimatedBytes) });
  return { primary, donor, target, estimatedBytes };
}

function refuseFor(target: HostName, obstacles: readonly Obstacle[]): void {
  if (obstacles.length === 0) return;
  const named = obstacles.map((one) => `${one.explains} (${one.remedy})`).join('; ');
  throw unsafe(target, `${target} cannot be provisioned: ${named}. Nothing was changed`);
}

/** What would keep the two from following each other. The target's server does not run yet: its files say what it will be. */
async function differences(
  cluster: ClusterPorts,
  input: { readonly seen: ClusterObservation; readonly primary: HostName; readonly target: HostName },
): Promise<readonly Obstacle[]> {
  const { seen, primary, target } = input;
  const [wanted, found] = await Promise.all([settingsOn(cluster, primary), settingsOn(cluster, target)]);
  const ids = cluster.description.hosts.map(({ name: host, serverId }) => {
    const { server } = observationOf(seen, host);
    return { host, serverId: isAnswering(server) ? server.status.serverId : serverId };
  });
  const own = { host: target, serverId: describeHost(cluster.description, target).serverId };
  return [...judgeLikeness({ target, primary, found, wanted }), ...judgeServerId(own, ids)];
}

async function settingsOn(cluster: ClusterPorts, host: HostName): Promise<ServerSettings> {
  const answer = await cluster.helper(host).request('server-settings');
  return {
    version: answer['version'] ?? '',
    lowerCaseTableNames: Number(answer['lower_case_table_names']),
    timeZone: answer['time_zone'] ?? '',
  };
}

const obstaclesOnDonor = ({ host, server }: HostObservation): readonly Obstacle[] =>
  isAnswering(server)
    ? [...judgePrimarySettings(server.status), ...judgeFitness(server.status)]
    : [{ code: 'donor', explains: `${host} does not answer`, remedy: 'start it, or choose another donor' }];

function obstaclesOnTarget({ host, helper, server }: HostObservation): readonly Obstacle[] {
  const obstacles: Obstacle[] = [];
  if (!isAnswering(helper))
    obstacles.push({
      code: 'target',
      explains: `the host helper of ${host} does not answer: ${helper.why}`,
      remedy: 'run install.sh on it as root',
    });
  else if (helper.records.fenced)
    obstacles.push({
      code: 'fenced',
      explains: `${host} is fenced since a failover, so no server may start on it`,
      remedy: `once its data is no longer needed: standfast-host discard-data host=${host}, as root on it, which empties its data directory and then lifts the fence`,
    });
  if (isAnswering(server))
    obstacles.push({
      code: 'target',
      explains: `a database server already runs on ${host}`,
      remedy: `stop it, and if its data is not needed: standfast-host discard-data host=${host}, as root on it`,
    });
  return obstacles;
}

/** A copy from a replica may lack what the target acknowledged; on record as an acker, it would vouch for that all the same. */
function obstacleOfAcker(
  cluster: ClusterPorts,
  { seen, target }: { readonly seen: ClusterObservation; readonly target: HostName },
): readonly Obstacle[] {
  if (syncOf(cluster, answeredRecords(seen))?.ackers.includes(target) !== true) return [];
  return [
    {
      code: 'acker',
      explains: `${target} is recorded as an acker, and counts for what it has acknowledged`,
      remedy: `first of all: standfast acker remove ${cluster.description.cluster} ${target}`,
    },
  ];
}

async function bytesOn(cluster: ClusterPorts, donor: HostName): Promise<number> {
  const session = await cluster.session(donor);
  try {
    return await databaseBytes(session);
  } finally {
    session.close();
  }
}

/** Follows a job on a host to its end. The job runs on without this worker. */
async function follow(cluster: ClusterPorts, host: HostName, job: string): Promise<HelperAnswerFields> {
  const context = Context.current();
  let progress: Progress | null = null;
  for (;;) {
    context.cancellationSignal.throwIfAborted();
    const status = await cluster.helper(host).request('job-status', { job });
    const { step = '', bytes = '0' } = status;
    beat({ host, step, bytes: Number(bytes) });
    if (status['state'] === 'done') return status;
    if (status['state'] !== 'running')
      throw new AdapterFailure({
        type: 'Unsafe',
        host,
        message: `the copy failed on ${host} in step ${step === '' ? 'unknown' : step} (exit ${status['exit'] ?? '?'}): ${(status['log'] ?? '').slice(-600)}`,
      });
    const atMs = performance.now();
    progress = noteProgress(progress, { position: bytes, atMs });
    if (step === 'send' && standsStill(progress, { atMs, forMs: STANDSTILL_MS }))
      throw unsafe(
        host,
        `no byte of the copy has left ${host} for ${String(STANDSTILL_MS / 60_000)} minutes (it has sent ${bytes}): look at the disks of both hosts and at the network between them, then start again`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function openTransfer(
  cluster: ClusterPorts,
  input: Transfer & { readonly estimatedBytes: number },
): Promise<void> {
  const { donor, target } = input;
  const attempt = await JobAttempt.begin(cluster, input, [donor, target]);
  const key = await attempt.order(donor, 'job-key');
  await attempt.order(target, 'job-open', {
    public: key['public'] ?? '',
    from: cluster.endpoint(donor).address,
    bytes: String(input.estimatedBytes),
  });
}

async function copySnapshot(cluster: ClusterPorts, input: Transfer): Promise<{ readonly bytes: number }> {
  const { job, donor, target } = input;
  const attempt = await JobAttempt.begin(cluster, input, [donor]);
  await attempt.order(donor, 'job-send', {
    target: cluster.endpoint(target).address,
    target_port: String(cluster.sshPort(target)),
    user: cluster.sshUser,
    known_hosts: await cluster.pinnedKeys(target),
  });
  const done = await follow(cluster, donor, job);
  return { bytes: Number(done['bytes'] ?? 0) };
}

async function installSnapshot(cluster: ClusterPorts, input: Transfer & { readonly bytes: number }): Promise<Snapshot> {
  const { job, target } = input;
  const attempt = await JobAttempt.begin(cluster, input, [target]);
  await attempt.order(target, 'configure', configuration(target, defaultSettings(cluster, target)));
  await attempt.order(target, 'job-install', { bytes: String(input.bytes) });
  const done = await follow(cluster, target, job);
  return { bytes: input.bytes, position: done['gtid'] ?? '' };
}

export const provisioningActivities = (
  ports: Ports,
): Pick<Activities, 'planProvision' | 'openTransfer' | 'copySnapshot' | 'installSnapshot' | 'keepSnapshot'> => ({
  planProvision: async ({ cluster, ...input }) => plan(await ports.cluster(cluster), input),
  openTransfer: async (input) => openTransfer(await ports.cluster(input.cluster), input),
  copySnapshot: async (input) => copySnapshot(await ports.cluster(input.cluster), input),
  installSnapshot: async (input) => installSnapshot(await ports.cluster(input.cluster), input),
  keepSnapshot: async ({ cluster, job, donor, target }) => {
    const managed = await ports.cluster(cluster);
    const { owner } = managed;
    for (const host of [target, donor])
      await managed.helper(host).request('job-keep', { owner, job }, { timeoutMs: ORDER_MS });
  },
});
