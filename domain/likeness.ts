import type { HostDescription, HostName } from './cluster.ts';
import type { Obstacle } from './preflight.ts';

/** What a server that is started on a host would be, read from its program and its files. */
export interface ServerSettings {
  readonly version: string;
  readonly lowerCaseTableNames: number;
  /** Name of a zone, or an offset. */
  readonly timeZone: string;
}

interface Compared {
  readonly target: HostName;
  readonly primary: HostName;
  readonly found: ServerSettings;
  readonly wanted: ServerSettings;
}

interface Rule {
  readonly code: string;
  readonly of: (settings: ServerSettings) => string;
  readonly why: string;
  readonly remedy: (compared: Compared) => string;
}

const seriesOf = ({ version }: ServerSettings): string => version.split('.').slice(0, 2).join('.');
const isMariaDb = ({ version }: ServerSettings): boolean => /mariadb/i.test(version);
const UTC = /^(UTC|UCT|Etc\/(UTC|UCT|Zulu|Universal)|Zulu|Universal|[+-]00:00)$/;

/** What has to be the same on two servers that are to follow each other in both directions, one made of the files of the other. */
const RULES: readonly Rule[] = [
  {
    code: 'version',
    of: (settings) => `${isMariaDb(settings) ? 'MariaDB' : 'MySQL'} ${seriesOf(settings)}`,
    why: 'a copy is taken over as files, and after a failover the older series could not follow the newer one',
    remedy: ({ wanted, target }) => `install ${wanted.version} on ${target}`,
  },
  {
    code: 'setting:lower_case_table_names',
    of: (settings) => String(settings.lowerCaseTableNames),
    why: 'the same statement would find other tables',
    remedy: ({ wanted, target }) =>
      `put lower_case_table_names=${String(wanted.lowerCaseTableNames)} into the configuration of ${target}`,
  },
  {
    code: 'setting:time_zone',
    of: ({ timeZone }) => (UTC.test(timeZone) ? 'UTC' : timeZone),
    why: 'after a failover the same moment would be written as another time of day',
    remedy: ({ wanted, target }) => `set the zone of ${target} to ${wanted.timeZone}, or default_time_zone on both`,
  },
];

export const judgeLikeness = (compared: Compared): readonly Obstacle[] =>
  RULES.filter((rule) => rule.of(compared.found) !== rule.of(compared.wanted)).map((rule) => ({
    code: rule.code,
    explains: `${rule.code.replace('setting:', '')} would be ${rule.of(compared.found)} on ${compared.target} and is ${rule.of(compared.wanted)} on ${compared.primary}: ${rule.why}`,
    remedy: rule.remedy(compared),
  }));

interface ServerId {
  readonly host: HostName;
  readonly serverId: number;
}

/** Two servers of one ID drop each other's transactions as their own. MariaDB knows no other identity of a server. */
export function judgeServerId(target: ServerId, others: readonly ServerId[]): readonly Obstacle[] {
  const twin = others.find((other) => other.host !== target.host && other.serverId === target.serverId);
  if (twin === undefined) return [];
  return [
    {
      code: 'setting:server_id',
      explains: `server_id ${String(target.serverId)} of ${target.host} is that of ${twin.host} as well: each would take the other's transactions for its own`,
      remedy: `give ${target.host} another serverId in the inventory`,
    },
  ];
}

/** By this number a primary names who is connected to it, and while a host is silent only the inventory says which one is its own. */
export const judgeDeclaredId = ({ name, serverId }: HostDescription, found: number): readonly Obstacle[] =>
  found === serverId
    ? []
    : [
        {
          code: 'serverId',
          explains: `${name} runs with server_id ${String(found)}, and the inventory says ${String(serverId)} (its serverId, or without one its place in the list): nobody could tell which connections are its own while it is silent`,
          remedy: `put serverId: ${String(found)} for ${name} into the inventory; its server stays as it is. Where another host has that ID, it needs one of its own`,
        },
      ];
