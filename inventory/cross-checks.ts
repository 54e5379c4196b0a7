import { COUNTRY_CODES, COUNTRY_HABITS, UNKNOWN_COUNTRY } from './countries.ts';
import { didYouMean } from './did-you-mean.ts';
import { DURATION_PATTERN, durationMs } from './duration.ts';
import type { FaultPath, PathFault } from './faults.ts';
import { repeated, repeatedAddresses, repeatedRouters } from './repetitions.ts';
import { at, entries, isRecord } from './untyped.ts';

/**
 * What one value alone cannot show. They read the document as it is, not the validated one, so that a fault elsewhere does not hide
 * theirs; whatever has the wrong shape is the schema's business and is passed over here.
 */
export function crossFaults(data: unknown): PathFault[] {
  const clusters = entries(at(data, 'clusters'));
  return [
    ...entries(at(data, 'sites')).flatMap(([name, site]) =>
      at(site, 'country') === UNKNOWN_COUNTRY ? [] : countryFaults(['sites', name, 'country'], at(site, 'country')),
    ),
    ...(isRecord(at(data, 'clusters')) && clusters.length === 0
      ? [{ path: ['clusters'], message: 'clusters: found none, expected at least one cluster' }]
      : []),
    ...clusters.flatMap(([name, cluster]) =>
      clusterFaults({ path: ['clusters', name], cluster, sites: at(data, 'sites') }),
    ),
    ...repeatedAddresses(data),
    ...repeatedRouters(data),
  ];
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function countryFaults(path: FaultPath, code: unknown): PathFault[] {
  if (typeof code !== 'string' || !/^[A-Z]{2}$/.test(code) || COUNTRY_CODES.has(code)) return [];
  const meant = COUNTRY_HABITS[code];
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  return [{ path, message: `${path.join('.')}: found "${code}", expected a country code of ISO 3166${hint}` }];
}

interface ClusterPlace {
  readonly path: FaultPath;
  readonly cluster: unknown;
  readonly sites: unknown;
}

const clusterFaults = (place: ClusterPlace): PathFault[] => [
  ...hostFaults(place),
  ...serverIdFaults(place),
  ...promotableFaults(place),
  ...vipFaults(place),
  ...policyFaults(place),
  ...observerFaults(place),
  ...hookFaults(place),
  ...periodFaults(place),
  ...overlapFaults(place),
];

function hostFaults({ path, cluster, sites }: ClusterPlace): PathFault[] {
  const hosts = at(cluster, 'hosts');
  const known = entries(sites).map(([name]) => name);
  const none = isRecord(hosts) && Object.keys(hosts).length === 0;
  const witnessNames = entries(at(cluster, 'witnesses')).map(([name]) => name);
  return [
    ...(none
      ? [{ path: [...path, 'hosts'], message: `${path.join('.')}.hosts: found none, expected at least one host` }]
      : []),
    ...entries(hosts).flatMap(([name, host]): PathFault[] => {
      const site = at(host, 'site');
      if (typeof site !== 'string' || known.includes(site)) return [];
      const where = [...path, 'hosts', name, 'site'];
      return [{ path: where, message: strangeSite(where, site, known) }];
    }),
    ...entries(hosts)
      .filter(([name]) => witnessNames.includes(name))
      .map(([name]): PathFault => ({
        path: [...path, 'witnesses', name],
        atKey: true,
        message: `${path.join('.')}.witnesses: found the name "${name}" of a database host; a witness is another host, with another name`,
      })),
  ];
}

function serverIdFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const claims = entries(at(cluster, 'hosts')).map(([name, host], index) => ({
    path: [...path, 'hosts', name, 'serverId'],
    value: at(host, 'serverId') ?? index + 1,
  }));
  return repeated(claims, 'server ID');
}

function promotableFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const hosts = entries(at(cluster, 'hosts'));
  if (hosts.length === 0 || hosts.some(([, host]) => at(host, 'promotable') !== false)) return [];
  const where = [...path, 'hosts'];
  const message = `${where.join('.')}: found promotable: false on every host, expected at least one that may be primary`;
  return [{ path: where, message }];
}

function vipFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const vip = at(cluster, 'vip');
  if (!isRecord(vip) || 'routerId' in vip || (at(vip, 'driver') ?? 'keepalived') !== 'keepalived') return [];
  const where = [...path, 'vip'];
  const message = `${where.join('.')}: "routerId" is missing, expected a VRRP router ID from 1 to 255 for keepalived (the driver direct needs none)`;
  return [{ path: where, message }];
}

function policyFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const policy = at(cluster, 'policy');
  const countries = list(at(at(policy, 'placement'), 'countries'));
  return [
    ...countries.flatMap((code, index) => countryFaults([...path, 'policy', 'placement', 'countries', index], code)),
    ...lagFaults([...path, 'policy', 'lag'], at(policy, 'lag')),
    ...watchFaults([...path, 'policy', 'watch'], at(policy, 'watch')),
  ];
}

function observerFaults({ path, cluster, sites }: ClusterPlace): PathFault[] {
  const known = entries(sites).map(([name]) => name);
  const observers = list(at(at(at(cluster, 'policy'), 'watch'), 'observers'));
  const where = [...path, 'policy', 'watch', 'observers'];
  return observers.flatMap((site, index): PathFault[] => {
    if (typeof site !== 'string') return [];
    const place = [...where, index];
    if (!known.includes(site)) return [{ path: place, message: strangeSite(where, site, known) }];
    if (observers.indexOf(site) === index) return [];
    return [{ path: place, message: `${where.join('.')}: found "${site}" twice, expected each site once` }];
  });
}

const strangeSite = (where: FaultPath, site: string, known: readonly string[]): string =>
  `${where.join('.')}: found "${site}", allowed: ${known.join(', ') || 'none, since "sites" has none'}${didYouMean(site, known)}`;

const isDuration = (value: unknown): value is string => typeof value === 'string' && DURATION_PATTERN.test(value);

function lagFaults(path: FaultPath, lag: unknown): PathFault[] {
  const [warn, fail] = [at(lag, 'warn') ?? '1s', at(lag, 'fail') ?? '10s'];
  if (!isDuration(warn) || !isDuration(fail) || durationMs(warn) <= durationMs(fail)) return [];
  return [
    { path, message: `${path.join('.')}: found warn ${warn} above fail ${fail}, expected warn at or below fail` },
  ];
}

const LEAST_EVERY_MS = 20;
const LEAST_HEARTBEAT_MS = 10;
/** Three periods of the replication protocol's heartbeats (0.1 s). */
const LEAST_SILENCE_MS = 300;

function watchFaults(path: FaultPath, watch: unknown): PathFault[] {
  const [every, silence] = [at(watch, 'every') ?? '100ms', at(watch, 'silence') ?? '400ms'];
  const heartbeat = at(watch, 'heartbeat') ?? '1s';
  if (!isDuration(every) || !isDuration(silence) || !isDuration(heartbeat)) return [];
  const where = path.join('.');
  if (durationMs(every) < LEAST_EVERY_MS)
    return [{ path: [...path, 'every'], message: `${where}.every: found ${every}, expected at least 20ms` }];
  if (durationMs(heartbeat) < LEAST_HEARTBEAT_MS)
    return [
      { path: [...path, 'heartbeat'], message: `${where}.heartbeat: found ${heartbeat}, expected at least 10ms` },
    ];
  if (durationMs(silence) >= Math.max(LEAST_SILENCE_MS, 2 * durationMs(every))) return [];
  return [
    {
      path,
      message: `${where}: found silence ${silence} with every ${every}, expected a silence of at least 300ms and twice every`,
    },
  ];
}

/** Temporal's schedules count in seconds. */
const periodFaults = ({ path, cluster }: ClusterPlace): PathFault[] =>
  entries(at(cluster, 'files')).flatMap(([fileset, value]) => {
    const every = at(value, 'every') ?? '5m';
    if (!isDuration(every) || (durationMs(every) >= 1000 && durationMs(every) % 1000 === 0)) return [];
    const where = [...path, 'files', fileset, 'every'];
    return [{ path: where, message: `${where.join('.')}: found ${every}, expected whole seconds, at least 1s` }];
  });

const PLACEHOLDERS = ['{host}', '{address}', '{cluster}'];

function hookFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const hook = at(at(cluster, 'hooks'), 'powerOff');
  const where = [...path, 'hooks', 'powerOff'];
  const words = list(hook).filter((word) => typeof word === 'string');
  const [command] = words;
  const fence = at(at(at(cluster, 'policy'), 'failover'), 'fence');
  const faults: PathFault[] = [];
  if (list(fence).includes('powerOff') && hook === undefined)
    faults.push({
      path: [...path, 'policy', 'failover', 'fence'],
      message: `${path.join('.')}.policy.failover.fence: found powerOff, which needs the command hooks.powerOff`,
    });
  if (command !== undefined && !command.startsWith('/'))
    faults.push({
      path: [...where, 0],
      message: `${where.join('.')}: found "${command}", expected the absolute path of a command`,
    });
  if (words.length > 1 || command !== undefined) faults.push(...placeholderFaults(where, words));
  return faults;
}

function placeholderFaults(path: FaultPath, words: readonly string[]): PathFault[] {
  const unknown = words.flatMap((word, index) =>
    (word.match(/\{[^{}]*\}/g) ?? [])
      .filter((found) => !PLACEHOLDERS.includes(found))
      .map((found) => ({
        path: [...path, index],
        message: `${path.join('.')}: found ${found}, allowed: ${PLACEHOLDERS.join(', ')}${didYouMean(found, PLACEHOLDERS)}`,
      })),
  );
  const namesHost = words.some((word) => word.includes('{host}') || word.includes('{address}'));
  const nameless = {
    path,
    message: `${path.join('.')}: found a command that does not say which host, expected {host} or {address} in it`,
  };
  return namesHost || unknown.length > 0 ? unknown : [nameless];
}

/** What one fileset deletes would be what another one sends. */
function overlapFaults({ path, cluster }: ClusterPlace): PathFault[] {
  const folders = entries(at(cluster, 'files')).flatMap(([name, fileset]) => {
    const folder = at(fileset, 'path');
    return typeof folder === 'string' ? [{ name, folder, where: [...path, 'files', name, 'path'] }] : [];
  });
  return folders.flatMap(({ folder, where }, index): PathFault[] => {
    const other = folders.slice(0, index).find((one) => one.folder.startsWith(folder) || folder.startsWith(one.folder));
    if (other === undefined) return [];
    const message = `${where.join('.')}: found ${folder}, which overlaps with ${other.folder} of ${other.name}; each needs a folder of its own`;
    return [{ path: where, message }];
  });
}
