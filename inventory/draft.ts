import { stringify } from 'yaml';
import { UNKNOWN_COUNTRY } from './countries.ts';

/** Where a running set-up is read from, and with what; what is left out is as the user's own ssh configuration says. */
export interface DiscoveryOrder {
  readonly from: string;
  readonly cluster: string;
  readonly sshUser?: string | undefined;
  readonly sshPort?: number | undefined;
  readonly sshKey?: string | undefined;
  readonly knownHosts?: string | undefined;
}

/** A value of a draft. `todo`: what a person has to find out; `because`: where it was read. */
export interface Drafted<T> {
  readonly value: T;
  readonly todo?: string;
  readonly because?: string;
}

export interface DraftHost {
  readonly name: string;
  readonly address: Drafted<string>;
  readonly rank: Drafted<number> | null;
  readonly serverId: Drafted<number>;
  readonly port: number;
  readonly sshPort: number;
}

export interface DraftFileset {
  readonly name: string;
  readonly path: Drafted<string>;
  readonly every: Drafted<string>;
}

/** What `init` found out about a running set-up. */
export interface Draft {
  /** The host that it was read from, and when: ISO 8601. */
  readonly from: string;
  readonly at: string;
  readonly cluster: string;
  readonly hosts: readonly DraftHost[];
  readonly vip: {
    readonly address: Drafted<string>;
    readonly interface: Drafted<string>;
    readonly routerId: Drafted<number>;
  };
  readonly mode: Drafted<'semisync' | 'async'>;
  /** What is to be done about filters of replication; null: there are none. */
  readonly filters: string | null;
  readonly replicationUser: Drafted<string>;
  readonly files: readonly DraftFileset[];
  /** What was seen of copied folders and could not be made into `files`. */
  readonly unread: readonly string[];
  /** What was seen and has no place in the inventory. */
  readonly remarks: readonly string[];
}

/** Before everything that a person has to look at; so they are found by searching for it. */
export const TODO = 'TODO';

const PORT = 3306;
const SSH_PORT = 22;

/** The text of `standfast.yaml`: it loads as it is, and marks what is not known. */
export const renderDraft = (draft: Draft): string =>
  [
    `# Written by standfast init from ${comment(draft.from)} at ${draft.at}. Nothing was changed there.`,
    `# ${TODO} stands wherever it could not know. Then: standfast doctor. All keys: docs/inventory.md`,
    ...draft.remarks.map((remark) => `# Seen: ${comment(remark)}`),
    '',
    'sites:',
    ...draft.hosts.map(({ name }) =>
      line(1, siteOf(name), {
        value: `{ country: ${UNKNOWN_COUNTRY} }`,
        todo: `the country of ${name}; hosts that can fail together share a site`,
      }),
    ),
    '',
    'clusters:',
    `  ${draft.cluster}:`,
    '    hosts:',
    ...draft.hosts.flatMap(hostLines),
    ...(draft.hosts.length === 2 ? WITNESS : []),
    '    vip:',
    line(3, 'address', scalar(draft.vip.address)),
    line(3, 'interface', scalar(draft.vip.interface)),
    line(3, 'routerId', scalar(draft.vip.routerId)),
    ...replicationLines(draft),
    '    policy:',
    '      failover: { automatic: false } # a person starts failovers, until you set this to true',
    '      # placement: { countries: [NO] } # where the data may be; without it, anywhere',
    ...(draft.files.length === 0 ? [] : ['    files:', ...draft.files.flatMap(filesetLines)]),
    ...draft.unread.map((what) => `    # ${TODO}: ${comment(what)}`),
    '',
    ...ACCESS,
    '',
  ].join('\n');

export interface Mark {
  readonly line: number;
  readonly what: string;
}

/** Where a person has to look, in reading order. */
export const marksIn = (text: string): readonly Mark[] =>
  text.split('\n').flatMap((content, index) => {
    const [, what] = new RegExp(`# ${TODO}: (.*)$`).exec(content) ?? [];
    return what === undefined ? [] : [{ line: index + 1, what }];
  });

const siteOf = (host: string): string => `site-${host}`.slice(0, 63);

const hostLines = (host: DraftHost): readonly string[] => [
  `      ${host.name}:`,
  line(4, 'address', scalar(host.address)),
  line(4, 'site', { value: siteOf(host.name) }),
  ...(host.rank === null ? [] : [line(4, 'rank', scalar(host.rank))]),
  line(4, 'serverId', scalar(host.serverId)),
  ...(host.port === PORT ? [] : [line(4, 'port', scalar({ value: host.port }))]),
  ...(host.sshPort === SSH_PORT ? [] : [line(4, 'sshPort', scalar({ value: host.sshPort }))]),
];

const WITNESS: readonly string[] = [
  `    # ${TODO}: two hosts alone are no majority when one is gone; a third host, with only the host helper, votes`,
  '    # witnesses:',
  '    #   w1: { address: 192.0.2.9 }',
];

const replicationLines = ({ mode, filters, replicationUser }: Draft): readonly string[] => [
  '    replication:',
  line(3, 'mode', mode),
  ...(filters === null ? [] : [`      # ${TODO}: ${comment(filters)}`]),
  '      user:',
  line(4, 'name', scalar(replicationUser)),
  line(4, 'password', { value: 'file:/etc/standfast/repl', todo: 'put its password there, mode 0600' }),
];

const filesetLines = (fileset: DraftFileset): readonly string[] => [
  `      ${fileset.name}:`,
  line(4, 'path', scalar(fileset.path)),
  line(4, 'every', scalar(fileset.every)),
  line(4, 'marker', {
    value: '.standfast',
    todo: 'make this file in the folder of the primary, so that an unmounted folder deletes nothing',
  }),
];

function line(depth: number, key: string, { value, todo, because }: Drafted<string>): string {
  const source = because === undefined ? '' : ` (${because})`;
  const note = todo === undefined ? because : `${TODO}: ${todo}${source}`;
  return `${'  '.repeat(depth)}${key}: ${value}${note === undefined ? '' : ` # ${comment(note)}`}`;
}

const scalar = ({ value, ...rest }: Drafted<string | number>): Drafted<string> => ({
  ...rest,
  value: stringify(value, { lineWidth: 0 }).trim(),
});

/** One line, whatever was read. */
const comment = (text: string): string => text.replaceAll(/[^\P{C}]+/gu, ' ');

const ACCESS: readonly string[] = [
  'access:',
  '  ssh:',
  '    user: standfast # made by install.sh on each host',
  line(2, 'key', {
    value: 'file:/etc/standfast/ssh_key',
    todo: 'the private key whose public key install.sh was given, mode 0600',
  }),
  line(2, 'knownHosts', {
    value: '/etc/standfast/known_hosts',
    todo: 'pin the host keys there (ssh-keyscan, and compare)',
  }),
  '  sql:',
  line(2, 'user', { value: 'standfast', todo: 'make this account on the primary (README, accounts)' }),
  line(2, 'password', { value: 'file:/etc/standfast/sql', todo: 'put its password there, mode 0600' }),
];
