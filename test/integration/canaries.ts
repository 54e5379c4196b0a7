import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { Connection, WorkflowClient } from '@temporalio/client';
import type { Lab } from '../../lab/lab.ts';
import { textOf } from './histories.ts';

/** A secret that is searched for: by its name a failed test can say what was found without printing it. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

const HOSTS = ['db1', 'db2', 'db3'];
/** Where anything of ours, of the servers or of the system can leave something on a host. */
const HOST_FOLDERS = ['/etc', '/home', '/root', '/run', '/srv', '/tmp', '/usr/local', '/var'];
const GENERAL_LOG = '/var/log/mysql/general.log';
const SLOW_LOG = '/var/log/mysql/slow.log';

/** Passwords whole; of the key one line of its body, which no encoding of the whole hides. */
export function canariesOf(lab: Lab): readonly Canary[] {
  const passwords = ['standfast', 'repl', 'app'].map((account) => ({
    name: `password of ${account}`,
    value: readFileSync(lab.etc(`${account}.password`), 'utf8').trim(),
  }));
  const [, line = ''] = readFileSync(lab.etc('ssh_key'), 'utf8').split('\n').slice(1);
  const canaries = [...passwords, { name: 'SSH key', value: line }];
  for (const { name, value } of canaries) expect(value.length, name).toBeGreaterThan(30);
  return canaries;
}

const namesIn = (text: string, canaries: readonly Canary[]): readonly string[] =>
  canaries.filter(({ value }) => text.includes(value)).map(({ name }) => name);

/** Looks at the command line and the environment of every process of the machine, and so of all hosts, again and again. */
export class ProcessWatch {
  readonly #canaries: readonly Canary[];
  readonly #timer: NodeJS.Timeout;
  readonly #found = new Set<string>();
  readonly #programs = new Set<string>();
  #samples = 0;

  constructor(canaries: readonly Canary[]) {
    this.#canaries = canaries;
    this.#timer = setInterval(() => {
      this.#look();
    }, 100);
  }

  #look(): void {
    this.#samples += 1;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      let seen = shownBy(pid);
      const [program = ''] = seen.cmdline.split('\0');
      this.#programs.add(path.basename(program));
      if (namesIn(seen.cmdline + seen.environ, this.#canaries).length === 0) continue;
      // It may have become itself before its environment was read, or just after.
      if (showsItsParent(pid, seen)) seen = shownBy(pid);
      if (showsItsParent(pid, seen)) continue;
      for (const file of ['cmdline', 'environ'] as const)
        for (const name of namesIn(seen[file], this.#canaries)) this.#found.add(`${name} in ${file} of ${pid}`);
    }
  }

  stop(): { readonly samples: number; readonly programs: ReadonlySet<string>; readonly found: readonly string[] } {
    clearInterval(this.#timer);
    return { samples: this.#samples, programs: this.#programs, found: [...this.#found] };
  }
}

interface Shown {
  readonly cmdline: string;
  readonly environ: string;
}

/** The command line first: where it is the process's own, so is the environment. */
function shownBy(pid: string): Shown {
  const cmdline = ofProcess(pid, 'cmdline');
  return { cmdline, environ: ofProcess(pid, 'environ') };
}

/** Between fork and exec a child shows what its parent is. */
function showsItsParent(pid: string, { cmdline }: Shown): boolean {
  const parent = /^PPid:\t(\d+)$/m.exec(ofProcess(pid, 'status'))?.[1] ?? '';
  return cmdline === ofProcess(parent, 'cmdline');
}

function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
}

/** Every statement of every session goes to both logs from now on, also after a restart. */
export async function logEverything(lab: Lab, host: string): Promise<void> {
  const settings = [
    'general_log=1',
    `general_log_file=${GENERAL_LOG}`,
    'slow_query_log=1',
    `slow_query_log_file=${SLOW_LOG}`,
    'long_query_time=0',
  ];
  await lab
    .host(host)
    .exec(['tee', '/etc/mysql/mariadb.conf.d/70-log.cnf'], { input: `[mysqld]\n${settings.join('\n')}\n` });
  if (lab.host(host).processes('mariadbd').length === 0) return;
  await lab
    .host(host)
    .sql(
      `SET GLOBAL general_log_file='${GENERAL_LOG}', GLOBAL slow_query_log_file='${SLOW_LOG}', GLOBAL long_query_time=0, GLOBAL general_log=1, GLOBAL slow_query_log=1`,
    );
}

export const generalLogOf = async (lab: Lab, host: string): Promise<string> =>
  (await lab.host(host).exec(['cat', GENERAL_LOG])).stdout;

/** Files of the hosts with a canary in them, as `HOST PATH: NAME`: logs, binlogs, relay logs, records, data, all that is there. */
export async function foundOnHosts(lab: Lab, canaries: readonly Canary[]): Promise<readonly string[]> {
  const found = await Promise.all(
    HOSTS.map(async (host) => {
      // All at once and byte by byte, since there is much to read. No value may be in a command line: this would be found as well.
      const argv = ['env', 'LC_ALL=C', 'grep', '-raoF', '--null', '--devices=skip', '-f', '-', ...HOST_FOLDERS];
      const input = canaries.map(({ value }) => value).join('\n');
      const { stdout, exitCode, stderr } = await lab.host(host).exec(argv, { input });
      expect(exitCode, stderr).toBeLessThan(2);
      const matches = stdout.split('\n').filter((line) => line !== '');
      return matches.map((line) => {
        const [file = '', match] = line.split('\0');
        return `${host} ${file}: ${canaries.find(({ value }) => value === match)?.name ?? 'a secret'}`;
      });
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** What Temporal keeps and shows of any run, its database, and everything that a process of the control seat wrote. */
export async function foundAtControl(
  lab: Lab,
  temporal: string,
  canaries: readonly Canary[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const connection = await Connection.connect({ address: temporal });
  const client = new WorkflowClient({ connection });
  for await (const { workflowId, runId, type } of client.list()) {
    const handle = client.getHandle(workflowId, runId);
    const told = `${textOf(await handle.fetchHistory())}\n${textOf((await handle.describe()).raw)}`;
    expect(told).toContain(type);
    found.push(...namesIn(told, canaries).map((name) => `history of ${workflowId}: ${name}`));
  }
  await connection.close();
  const folder = path.join(lab.folder, 'run');
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(path.join(folder, entry.name), 'latin1');
    found.push(...namesIn(text, canaries).map((name) => `${entry.name}: ${name}`));
  }
  return found;
}

/** Changes a file of the lab's FOLDER/etc. @returns what puts it back as it was */
export function changed(lab: Lab, file: string, change: (content: string) => string): () => void {
  const where = lab.etc(file);
  const before = readFileSync(where, 'utf8');
  const after = change(before);
  expect(after, `${file} was to be changed`).not.toBe(before);
  writeFileSync(where, after);
  return () => {
    writeFileSync(where, before);
  };
}
