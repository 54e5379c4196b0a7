import { Sandbox, until } from './sandbox.ts';
import type { Answer } from './sandbox.ts';

const owner = 'plane-1';
export const UPLOADS = '/srv/uploads/';
const ADDRESSES = { mine: '10.88.1.1', theirs: '10.88.1.2' } as const;

type Arguments = Readonly<Record<string, string | number>>;

/** Two hosts that know who of them is primary, with a fileset `uploads` between them. */
export class Pair {
  readonly source: Sandbox;
  readonly target: Sandbox;
  #knownHosts = '';
  #epoch = 1;
  #run = 0;
  #isRecorded = false;

  private constructor(source: Sandbox, target: Sandbox) {
    this.source = source;
    this.target = target;
  }

  static async start(): Promise<Pair> {
    const [source, target] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
    source.join(target, ADDRESSES);
    const pair = new Pair(source, target);
    for (const host of [source, target]) host.shell('ssh-keygen -A >/dev/null && /usr/sbin/sshd');
    pair.pin();
    return pair;
  }

  /** The host key of the target, as it is now. */
  pin(): void {
    const key = this.target.shell("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    this.#knownHosts = `${ADDRESSES.theirs} ${key}\n`;
  }

  async stop(): Promise<void> {
    await Promise.all([this.source.stop(), this.target.stop()]);
  }

  /** A marked folder on the source, an empty one on the target, and db1 as primary. */
  reset(): void {
    for (const host of [this.source, this.target])
      host.shell(
        `cd /; umount -l ${UPLOADS} 2>/dev/null; rm -rf /srv/uploads /var/lib/standfast/files /var/lib/standfast/jobs/files.*; mkdir -p ${UPLOADS}`,
      );
    this.source.shell(`cd ${UPLOADS}; touch .standfast; mkdir sub; echo one >one; echo two >sub/two`);
    if (!this.#isRecorded) this.promote('db1');
  }

  /** Both hosts record it, as an operation orders it: with the history of promotions. */
  promote(primary: string, hosts: readonly Sandbox[] = [this.source, this.target]): void {
    this.#epoch += 1;
    this.#isRecorded = primary === 'db1' && hosts.length === 2;
    for (const host of hosts) {
      host.fields('claim', { owner, epoch: this.#epoch, run: 'r', account: 'nobody' });
      const lineage = `${String(this.#epoch)}:${primary === 'db1' ? '1' : '2'}:`;
      host.fields('record-primary', { owner, epoch: this.#epoch, run: 'r', host: primary, lineage });
    }
  }

  nextRun(): void {
    this.#run += 1;
  }

  /** An order of the newest attempt at the job of `target`. */
  order(host: Sandbox, verb: string, args: Arguments = {}): Answer {
    const job = 'files.uploads.db2';
    const attempt = host.fields('job-claim', { owner, job })['attempt'] ?? '';
    return host.ask(verb, { owner, job, attempt, ...args });
  }

  #about(name: string): Arguments {
    return { run: `run-${String(this.#run)}`, name, source: 'db1', cluster: 'shop', fileset: 'uploads', path: UPLOADS };
  }

  open(args: Arguments = {}): Answer {
    const key = this.order(this.source, 'job-key');
    const publicKey = key.ok ? (key.fields['public'] ?? '') : '';
    const about = { ...this.#about('db2'), max: 10, diff: 'no', public: publicKey, from: ADDRESSES.mine };
    return this.order(this.target, 'files-open', { ...about, ...args });
  }

  /** As {@link open}, for an order that hangs. */
  openInBackground(): void {
    const { public: key = '' } = must(this.order(this.source, 'job-key'));
    const job = 'files.uploads.db2';
    const attempt = this.target.fields('job-claim', { owner, job })['attempt'] ?? '';
    const about = { ...this.#about('db2'), max: 10, diff: 'no', public: key, from: ADDRESSES.mine };
    const args = Object.entries({ owner, job, attempt, ...about }).map(([name, value]) => `'${name}=${String(value)}'`);
    this.target.shell(`setsid standfast-host files-open ${args.join(' ')} >/dev/null 2>&1 </dev/null &`);
  }

  /** Starts rsync on the source. */
  send(deletes: string, args: Arguments = {}): Answer {
    const limits = { marker: '.standfast', max: 10, stamp: '20260101T000000Z', bandwidth: 0, compress: 'no' };
    const way = { target: ADDRESSES.theirs, user: 'standfast', known_hosts: this.#knownHosts };
    return this.order(this.source, 'files-send', { ...this.#about('db1'), ...limits, ...way, deletes, ...args });
  }

  look(host: Sandbox, role: 'source' | 'target'): Readonly<Record<string, string>> {
    const about = { ...this.#about(host === this.source ? 'db1' : 'db2') };
    const { name = '', source = '', cluster = '', fileset = '', path = '' } = about;
    return host.fields('files-look', { role, name, source, cluster, fileset, path, marker: '.standfast' });
  }

  ended(): Promise<Readonly<Record<string, string>>> {
    const status = () => this.source.fields('files-status', { job: 'files.uploads.db2' });
    return until('rsync ends', status, ({ state }) => state !== 'running');
  }

  /** The whole of a run, as the worker orders it. @returns what the last rsync told */
  async sync(args: Arguments = {}): Promise<Readonly<Record<string, string>>> {
    this.nextRun();
    const opened = must(this.open(args));
    must(this.send('count', args));
    const counted = await this.ended();
    const isSettled = opened['settled'] === 'yes';
    const deletes = isSettled ? (counted['deleted'] === '0' ? 'none' : 'listed') : 'aside';
    must(this.send(deletes, { ...args, stamp: opened['stamp'] ?? '' }));
    const pushed = await this.ended();
    const well = pushed['state'] === 'done' ? 'yes' : 'no';
    must(this.order(this.target, 'files-close', { well }));
    must(this.order(this.source, 'files-close', { well }));
    return pushed;
  }
}

export function must(answer: Answer): Readonly<Record<string, string>> {
  if (answer.ok) return answer.fields;
  throw new Error(`${answer.type}: ${answer.message}`);
}

/** Everything of a folder but our own three names: types, modes, owners, times, links, contents. */
export const treeOf = (host: Sandbox): string =>
  host.shell(
    `cd ${UPLOADS}
     ours='-path ./.standfast-fileset -o -path ./.standfast-aside -o -path ./.standfast-tmp'
     find . \\( $ours \\) -prune -o -type d -printf '%P d %m %U %T@\\0' -o -printf '%P %y %m %U %s %n %l %T@\\0' | sort -z | tr '\\0' '\\n'
     find . \\( $ours \\) -prune -o -type f -print0 | sort -z | xargs -0r sha256sum`,
  );

/** An extended attribute for `one`, and an ACL for `sub/two` that lets the user 1234 read. */
export const setAttributes = (host: Sandbox): string =>
  inPython(
    host,
    `os.setxattr('one', 'user.note', b'kept')
entries = [(1, 6, -1), (2, 4, 1234), (4, 4, -1), (16, 4, -1), (32, 4, -1)]
acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *entry) for entry in entries)
os.setxattr('sub/two', 'system.posix_acl_access', acl)`,
  );

/** Attributes and ACLs of the two, as text. */
export const attributesOf = (host: Sandbox): string =>
  inPython(host, `print([(f, a, os.getxattr(f, a)) for f in ('one', 'sub/two') for a in sorted(os.listxattr(f))])`);

const inPython = (host: Sandbox, script: string): string =>
  host.must('/usr/bin/python3', '-c', `import os, struct\nos.chdir('${UPLOADS}')\n${script}`);
