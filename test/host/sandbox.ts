import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./sandbox.sh', import.meta.url));
const HOST_FOLDER = fileURLToPath(new URL('../../adapters/host/', import.meta.url));
const HELPER = '/usr/local/sbin/standfast-host';
export const WORKER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl worker';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export type Answer =
  | { readonly ok: true; readonly fields: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly type: string; readonly message: string };

type Arguments = Readonly<Record<string, string | number>>;

const encode = (value: string): string =>
  value.replaceAll('%', '%25').replaceAll('\t', '%09').replaceAll('\n', '%0A').replaceAll('\r', '%0D');
const decode = (value: string): string =>
  value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%09', '\t').replaceAll('%25', '%');

export function parseAnswer(line: string): Answer {
  const [, verdict, ...rest] = line.split('\t');
  if (verdict === 'fail') return { ok: false, type: rest[0] ?? '', message: decode(rest[1] ?? '') };
  if (verdict !== 'ok') throw new Error(`not an answer: "${line}"`);
  const fields = rest.map((field) => {
    const at = field.indexOf('=');
    return [field.slice(0, at), decode(field.slice(at + 1))] as const;
  });
  return { ok: true, fields: Object.fromEntries(fields) };
}

/** A host of namespaces that vanishes with `stop`; the helper is installed on it as an administrator would do it. */
export class Sandbox {
  readonly name: string;
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly init: number;

  private constructor(name: string, process: ChildProcessWithoutNullStreams, init: number) {
    this.name = name;
    this.process = process;
    this.init = init;
  }

  static async start(name: string): Promise<Sandbox> {
    const child = spawn(SCRIPT, [name, HOST_FOLDER]);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const line = await Promise.race([
      once(child.stdout, 'data').then(([chunk]) => String(chunk)),
      once(child, 'exit').then(() => ''),
    ]);
    if (!line.startsWith('ready')) throw new Error(`the sandbox ${name} did not start: ${said}`);
    const unshare = String(child.pid);
    const init = Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim());
    const sandbox = new Sandbox(name, child, init);
    sandbox.must('/opt/shown/install.sh', '--key', WORKER_KEY);
    return sandbox;
  }

  private inside(argv: readonly string[]): string[] {
    return ['--target', String(this.init), '--mount', '--pid', '--net', '--uts', '--root', '--wdns=/', ...argv];
  }

  run(...argv: readonly string[]): Outcome {
    const { stdout, stderr, status } = spawnSync('nsenter', this.inside(argv), { encoding: 'utf8', timeout: 60_000 });
    return { stdout, stderr, exitCode: status ?? -1 };
  }

  must(...argv: readonly string[]): string {
    const { stdout, stderr, exitCode } = this.run(...argv);
    assert.equal(exitCode, 0, `${argv.join(' ')} on ${this.name}: exit ${String(exitCode)}: ${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  shell(script: string): string {
    return this.must('bash', '-c', script);
  }

  start(...argv: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn('nsenter', this.inside(argv));
  }

  /** One call of the helper, as root. */
  ask(verb: string, args: Arguments = {}): Answer {
    const list = Object.entries(args).map(([key, value]) => `${key}=${encode(String(value))}`);
    return parseAnswer(this.run(HELPER, verb, ...list).stdout.trimEnd());
  }

  /** Like `ask`, for an answer that must be ok. */
  fields(verb: string, args: Arguments = {}): Readonly<Record<string, string>> {
    const answer = this.ask(verb, args);
    if (answer.ok) return answer.fields;
    assert.fail(`${verb} on ${this.name}: ${answer.type}: ${answer.message}`);
  }

  /** Starts the server as a worker does, which asks again while it is not up yet. */
  serve(args: Arguments): void {
    const end = Date.now() + 120_000;
    for (;;) {
      const answer = this.ask('service-start', args);
      if (answer.ok) return;
      assert.ok(answer.type === 'NotYet' && Date.now() < end, `${this.name}: ${answer.type}: ${answer.message}`);
    }
  }

  /** After a stop: an init script's question, while it ends, still looks like the server. */
  async serverIsGone(): Promise<void> {
    await until(
      `the server of ${this.name} is gone`,
      () => this.fields('observe')['mysqld'],
      (mysqld) => mysqld === 'stopped',
    );
  }

  sql(statement: string): string {
    return this.must(
      'mariadb',
      '--no-defaults',
      '-uroot',
      '-S',
      '/run/mysqld/mysqld.sock',
      '-N',
      '-B',
      '-e',
      statement,
    );
  }

  /** Processes of that name, with their arguments. Without the server's program when an init script only asks it for its settings: while it ends it has none. */
  processesOf(name: string): readonly string[] {
    const lines = this.run('pgrep', '-ax', name).stdout.split('\n');
    return lines.filter((line) => line !== '' && !line.includes('--print-defaults') && !/^\d+ \[/.test(line));
  }

  pidsOf(name: string): readonly string[] {
    return this.processesOf(name).map((line) => line.split(' ')[0] ?? '');
  }

  /** A process of the server's name, until its input ends. */
  async pretender(...argv: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
    this.shell('install -D /bin/bash /run/fake/mariadbd');
    const waiting = this.start('/run/fake/mariadbd', '-c', 'echo ready; read', ...argv);
    await once(waiting.stdout, 'data');
    return waiting;
  }

  /** One that ends while the order that follows looks at it. */
  async endingPretender(): Promise<void> {
    await this.pretender('--user=mysql');
    this.start('bash', '-c', 'sleep 0.3; pkill -KILL -x mariadbd');
  }

  /** A fresh installation of the server, as the package makes it. */
  installDatabase(): void {
    this.must('mariadb-install-db', '--user=mysql', '--datadir=/var/lib/mysql', '--skip-test-db');
  }

  /** A link between two sandboxes, `eth0` at both ends. */
  join(peer: Sandbox, addresses: { readonly mine: string; readonly theirs: string }): void {
    const made = spawnSync('nsenter', [
      ...[
        '--target',
        String(this.init),
        '--net',
        'ip',
        'link',
        'add',
        'eth0',
        'address',
        '02:00:00:00:00:01',
        'type',
        'veth',
      ],
      ...['peer', 'name', 'eth0', 'address', '02:00:00:00:00:02', 'netns', String(peer.init)],
    ]);
    if (made.status !== 0) throw new Error(`no link between the sandboxes: ${made.stderr.toString()}`);
    for (const [host, address] of [
      [this, addresses.mine],
      [peer, addresses.theirs],
    ] as const)
      host.shell(`ip addr add ${address}/24 dev eth0 && ip link set eth0 up`);
  }

  channel(): Channel {
    return new Channel(this.start(HELPER, 'serve'));
  }

  async stop(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.stdin.end();
    this.process.kill('SIGKILL');
    await gone;
  }
}

/** The helper's serve mode over pipes. */
export class Channel {
  readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];

  constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    this.lines = createInterface({ input: process.stdout });
    this.lines.on('line', (line) => this.waiting.shift()?.(line));
  }

  raw(line: string): Promise<string> {
    const answer = new Promise<string>((resolve) => this.waiting.push(resolve));
    this.process.stdin.write(`${line}\n`);
    return answer;
  }

  async ask(verb: string, args: Arguments = {}): Promise<Answer> {
    const fields = Object.entries(args).map(([key, value]) => `${key}=${encode(String(value))}`);
    return parseAnswer(await this.raw(['1', verb, ...fields].join('\t')));
  }

  async close(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.stdin.end();
    await gone;
  }
}

/** Waits for a state, not for a time; what the state was at last is in the error. */
export async function until<T>(what: string, look: () => T, good: (seen: T) => boolean): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const seen = look();
    if (good(seen)) return seen;
    assert.ok(Date.now() <= end, `${what} did not come true; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
