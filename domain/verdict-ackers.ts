import { judgeAttachment } from './acknowledgement.ts';
import type { ClusterDescription, HostName } from './cluster.ts';
import { describeHost } from './cluster.ts';
import { judgeDeclaredId } from './likeness.ts';
import type { ClusterObservation, ServerStatus } from './observation.ts';
import { isAnswering, observationOf } from './observation.ts';
import type { SyncRecord } from './records.ts';
import type { Finding } from './verdict.ts';

interface AckersCase {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
}

/** Where what is recorded about acknowledgements and what the servers do are not the same. */
export const judgeAckers = (found: AckersCase): readonly Finding[] => [
  ...judgeRecord(found),
  ...judgeWaiting(found),
  ...judgeRefusals(found),
  ...judgeServerIds(found),
];

function judgeRecord({ cluster, observation, primary, sync }: AckersCase): readonly Finding[] {
  const ackers = sync?.ackers ?? [];
  const attachment = judgeAttachment({ hosts: cluster.hosts, statuses: statusesIn(observation), primary, ackers });
  if (attachment === null) return [];
  const name = cluster.cluster;
  const detached = sync?.mode === 'lossless' ? attachment.detached : [];
  // A primary that waits for nobody is told nothing by an acknowledgement.
  const unrecorded = sync?.mode === 'lossless' ? attachment.unrecorded : [];
  return [
    ...detached.map((host): Finding => ({
      code: 'AckerDetached',
      severity: 'bad',
      host,
      explains: `${host} is recorded to acknowledge writes and is not connected to ${primary}, so a failover without the files of ${primary} would wait for it`,
      remedy: `bring it back, then standfast prepare ${name} ${primary}, or standfast acker remove ${name} ${host}`,
    })),
    ...unrecorded.map((who): Finding => ({
      code: 'AckerUnrecorded',
      severity: 'bad',
      host: cluster.hosts.some((host) => host.name === who) ? who : primary,
      explains: `${who} acknowledges writes of ${primary} and is not on record, so a failover would not ask it for what only it has`,
      remedy: `standfast acker add ${name} HOST, or standfast acker remove ${name} HOST; a server that is no host of ${name}: stop its semi-sync`,
    })),
  ];
}

function judgeWaiting({ cluster, observation, primary, sync }: AckersCase): readonly Finding[] {
  const status = statusesIn(observation).get(primary);
  if (sync?.mode === 'lossless' || status?.semiSync.attached === undefined) return [];
  if (status.readOnly || !status.semiSync.primaryEnabled) return [];
  return [
    {
      code: 'WaitsUnrecorded',
      severity: 'warn',
      host: primary,
      explains: `${primary} waits for acknowledgements although async is recorded: writes can hang, and nothing is promised for it`,
      remedy: `standfast prepare ${cluster.cluster} ${primary}, or standfast acker none ${cluster.cluster}`,
    },
  ];
}

function judgeRefusals({ cluster, observation, primary }: AckersCase): readonly Finding[] {
  const { helper } = observationOf(observation, primary);
  if (!isAnswering(helper)) return [];
  const refusals = helper.refusals ?? [];
  const names = refusals.map(({ host, address }) => host ?? address);
  return [
    ...(helper.enforcesRefusals === false
      ? [
          {
            code: 'RefusalNotEnforced',
            severity: 'bad',
            host: primary,
            explains: `${primary} is to refuse ${names.join(', ')}, removed without having been told, and its firewall does not: one that returns could acknowledge writes alone`,
            remedy: `standfast prepare ${cluster.cluster} ${primary}`,
          } as const,
        ]
      : []),
    ...refusals.map(({ host, address, epoch }): Finding => ({
      code: 'ReplicaRefused',
      severity: 'warn',
      host: host ?? primary,
      explains: `${primary} refuses ${host ?? address} since it was removed as an acker (epoch ${String(epoch)})`,
      remedy: `standfast acker add ${cluster.cluster} ${host ?? 'HOST'} when it is back, or provision it again`,
    })),
  ];
}

const statusesIn = (observation: ClusterObservation): ReadonlyMap<HostName, ServerStatus> =>
  new Map(
    observation.hosts.flatMap(({ host, server }) => (isAnswering(server) ? [[host, server.status] as const] : [])),
  );

/** One that serves goes on: to refuse it would be an outage. */
const judgeServerIds = ({ cluster, observation }: AckersCase): readonly Finding[] =>
  [...statusesIn(observation)].flatMap(([host, { serverId }]) =>
    judgeDeclaredId(describeHost(cluster, host), serverId).map(({ explains, remedy }): Finding => ({
      code: 'ServerIdDiffers',
      severity: 'warn',
      ...{ host, explains, remedy },
    })),
  );
