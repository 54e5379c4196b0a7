import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Served } from './hosts-process.ts';
import type { Member } from './members.ts';
import { clusterName, networkOf } from './members.ts';

export interface Etc {
  readonly folder: string;
  readonly clusters: number;
  readonly periodMs: number;
  readonly password: string;
  /** The private key that logs in to the hosts. */
  readonly key: string;
}

export const etcFile = ({ folder }: Etc, name: string): string => path.join(folder, name);

/** All that the worker reads: the inventory, its secrets and the pinned keys of the hosts. */
export function writeEtc(etc: Etc, members: readonly Member[], served: Served): void {
  const secret = { mode: 0o600 };
  writeFileSync(etcFile(etc, 'ssh_key'), etc.key, secret);
  writeFileSync(etcFile(etc, 'standfast.password'), `${etc.password}\n`, secret);
  const pinned = members.map(
    ({ address }, place) => `[${address}]:${String(served.sshPort)} ${served.hostKeys[place] ?? ''}\n`,
  );
  writeFileSync(etcFile(etc, 'known_hosts'), pinned.join(''));
  // Every document in JSON is one in YAML.
  writeFileSync(etcFile(etc, 'standfast.yaml'), JSON.stringify(inventory(etc, members, served), null, 1), secret);
}

function inventory(etc: Etc, members: readonly Member[], served: Served): unknown {
  const file = (name: string): string => `file:${etcFile(etc, name)}`;
  const site = (place: number): string => `site-${'abc'.charAt(place)}`;
  const clusters = Array.from({ length: etc.clusters }, (_, index) => {
    const hosts = members
      .filter((one) => one.cluster === clusterName(index))
      .map(({ name, address }, place) => {
        const at = { address, site: site(place), port: served.sqlPort, sshPort: served.sshPort };
        return [name, at] as const;
      });
    return [clusterName(index), clusterOf(etc, index, { hosts, password: file('standfast.password') })] as const;
  });
  return {
    sites: Object.fromEntries([0, 1, 2].map((place) => [site(place), { country: 'NO' }])),
    clusters: Object.fromEntries(clusters),
    access: {
      ssh: { user: 'standfast', key: file('ssh_key'), knownHosts: etcFile(etc, 'known_hosts') },
      sql: { user: 'standfast', password: file('standfast.password') },
    },
  };
}

interface ClusterParts {
  readonly hosts: readonly (readonly [name: string, value: object])[];
  readonly password: string;
}

const clusterOf = ({ periodMs }: Etc, index: number, { hosts, password }: ClusterParts): object => ({
  hosts: Object.fromEntries(hosts),
  vip: { address: `${networkOf(index)}.9/24`, interface: 'lo', routerId: 51 },
  replication: { mode: 'semisync', user: { name: 'repl', password } },
  policy: {
    failover: { automatic: false },
    // The shortest silence that the inventory allows at this period. The simulated hosts cannot be failed over, so nothing is rehearsed.
    watch: { every: `${String(periodMs)}ms`, silence: `${String(2 * periodMs)}ms`, rehearsal: '0s' },
  },
});
