import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { LabError, plainEnvironment } from './run.ts';

/** Programs of the lab and the Debian packages that bring them. */
const programs: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  sysctl: 'procps',
  pidof: 'sysvinit-utils',
  nft: 'nftables',
  socat: 'socat',
  sudo: 'sudo',
  sshd: 'openssh-server',
  'ssh-keygen': 'openssh-client',
  keepalived: 'keepalived',
  mariadbd: 'mariadb-server',
  'mariadb-install-db': 'mariadb-server',
  'mariadb-backup': 'mariadb-backup',
  rsync: 'rsync',
};

export interface Machine {
  readonly platform: string;
  readonly uid: number | undefined;
  readonly has: (program: string) => boolean;
}

export const thisMachine: Machine = {
  platform: process.platform,
  uid: process.getuid?.(),
  has: (program) =>
    (plainEnvironment['PATH'] ?? '').split(':').some((folder) => isExecutable(path.join(folder, program))),
};

/** What keeps the lab from running here, one sentence each. */
export function missingFor(machine: Machine): readonly string[] {
  if (machine.platform !== 'linux') return [`the lab is made of Linux namespaces; this is ${machine.platform}`];
  const absent = Object.entries(programs).filter(([program]) => !machine.has(program));
  const packages = [...new Set(absent.map(([, name]) => name))].join(' ');
  return [
    ...(machine.uid === 0
      ? []
      : ['the lab makes namespaces, mounts and hosts with their own accounts: run it as root (sudo npm run …)']),
    ...absent.map(([program, name]) => `the program ${program} is missing (Debian package ${name})`),
    ...(absent.length === 0 ? [] : [`on Debian or Ubuntu: apt-get install ${packages}`]),
  ];
}

export function requireLab(): void {
  const missing = missingFor(thisMachine);
  if (missing.length > 0)
    throw new LabError(`the lab cannot run on this machine; nothing was made:\n- ${missing.join('\n- ')}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Absent and not executable are one answer here: it cannot be run.
    return false;
  }
}
