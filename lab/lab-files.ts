import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { FenceRung } from '../domain/cluster.ts';
import { addressOf, network } from './network.ts';
import { upperOf } from './machine.ts';
import { must } from './run.ts';
import { projectFolder, type LabState } from './state.ts';

export type Account = 'standfast' | 'repl' | 'app';

/** What the inventory of a lab says otherwise than usual. */
export interface ClusterSettings {
  readonly mode?: 'semisync' | 'async';
  /** What holds the VIP; keepalived unless given. */
  readonly driver?: 'keepalived' | 'direct';
  readonly fence?: readonly FenceRung[];
  readonly salvage?: 'apply' | 'quarantine';
  readonly alone?: 'stop' | 'async';
  /** Whether a watcher starts failovers; a person does, unless this says otherwise. */
  readonly automatic?: boolean;
  readonly grace?: string;
  readonly cooldown?: string;
  /** Sites that look at the primary as well; none has a host. */
  readonly observers?: readonly string[];
  /** How often the watcher rehearses. */
  readonly rehearsal?: string;
  /** How often a watcher looks, and how often it writes a heartbeat row, such as `100ms`. */
  readonly every?: string;
  readonly heartbeat?: string;
  /** How long a verification waits for a replica that does not apply, such as `3s`. */
  readonly lagFail?: string;
}

/** What people and the product are given about a lab: FOLDER/etc. */
export function etc(state: Pick<LabState, 'folder'>, name: string): string {
  return path.join(state.folder, 'etc', name);
}

export function passwordOf(state: Pick<LabState, 'folder'>, account: Account): string {
  return readFileSync(etc(state, `${account}.password`), 'utf8').trim();
}

/** Keys, passwords and the power switch: all that is needed before the hosts exist. */
export async function writeSecrets(state: LabState): Promise<void> {
  mkdirSync(etc(state, ''), { recursive: true, mode: 0o700 });
  for (const account of ['standfast', 'repl', 'app'] satisfies readonly Account[]) {
    writeFileSync(etc(state, `${account}.password`), `${randomBytes(18).toString('hex')}\n`, { mode: 0o600 });
  }
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'standfast', '-f', etc(state, 'ssh_key')]);
  copyFileSync(path.join(projectFolder, 'lab', 'host', 'power.sh'), etc(state, 'power.sh'));
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    etc(state, 'power'),
    `#!/bin/bash\nexport LAB=${quoted(state.folder)} NAME=${quoted(state.name)}\n. ${quoted(etc(state, 'power.sh'))}\n`,
  );
  chmodSync(etc(state, 'power'), 0o755);
}

/** The hosts' keys, once the hosts have been prepared. */
export function writeKnownHosts(state: LabState): void {
  const keys = state.hosts.map((host) => {
    const file = path.join(upperOf(state, host), 'etc', 'ssh', 'ssh_host_ed25519_key.pub');
    const [type = '', key = ''] = readFileSync(file, 'utf8').split(' ');
    return `${addressOf(state, host)} ${type} ${key}\n`;
  });
  writeFileSync(etc(state, 'known_hosts'), keys.join(''));
}

/** Written beside and renamed: workers read it whenever they need it. */
export function writeInventory(state: LabState, settings: ClusterSettings): void {
  const draft = etc(state, 'standfast.yaml.new');
  writeFileSync(draft, stringify(inventory(state, settings)), { mode: 0o600 });
  renameSync(draft, etc(state, 'standfast.yaml'));
}

const watching = ({ every, observers, heartbeat, rehearsal }: ClusterSettings): unknown => ({
  ...(every === undefined ? {} : { every }),
  ...(observers === undefined ? {} : { observers }),
  ...(heartbeat === undefined ? {} : { heartbeat }),
  ...(rehearsal === undefined ? {} : { rehearsal }),
});

function inventory(state: LabState, settings: ClusterSettings): unknown {
  const file = (name: string): string => `file:${etc(state, name)}`;
  const site = (index: number): string => `oslo-${String.fromCharCode(97 + index)}`;
  const databases = state.hosts.filter((host) => host.startsWith('db'));
  const sites = [...databases.map((_, index) => site(index)), ...(settings.observers ?? [])];
  const hosts = databases.map((host, index) => {
    return [host, { address: addressOf(state, host), site: site(index), rank: 101 - index }] as const;
  });
  const witnesses = state.hosts
    .filter((host) => !databases.includes(host))
    .map((host) => [host, { address: addressOf(state, host) }] as const);
  return {
    sites: Object.fromEntries(sites.map((name) => [name, { country: 'NO' }])),
    clusters: {
      shop: {
        hosts: Object.fromEntries(hosts),
        ...(witnesses.length > 0 ? { witnesses: Object.fromEntries(witnesses) } : {}),
        vip: {
          address: `${network.vip}/${String(network.prefix)}`,
          interface: 'eth0',
          ...(settings.driver === 'direct' ? {} : { routerId: 51 }),
          driver: settings.driver ?? 'keepalived',
        },
        replication: { mode: settings.mode ?? 'semisync', user: { name: 'repl', password: file('repl.password') } },
        policy: {
          failover: {
            automatic: settings.automatic ?? false,
            fence: settings.fence ?? ['ssh', 'powerOff'],
            ...(settings.salvage === undefined ? {} : { salvage: settings.salvage }),
            ...(settings.grace === undefined ? {} : { grace: settings.grace }),
            ...(settings.cooldown === undefined ? {} : { cooldown: settings.cooldown }),
          },
          watch: watching(settings),
          ...(settings.alone === undefined ? {} : { alone: settings.alone }),
          placement: { countries: ['NO'] },
          lag: { warn: '1s', fail: settings.lagFail ?? '10s' },
          events: true,
        },
        hooks: { powerOff: [etc(state, 'power'), 'off', '{host}'] },
      },
    },
    access: {
      ssh: { user: 'standfast', key: file('ssh_key'), knownHosts: etc(state, 'known_hosts') },
      sql: { user: 'standfast', password: file('standfast.password') },
    },
  };
}
