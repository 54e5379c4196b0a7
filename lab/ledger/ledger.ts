import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { passwordOf } from '../lab-files.ts';
import type { Lab } from '../lab.ts';
import type { Seat, Host } from '../machine.ts';
import { LabError, until } from '../run.ts';
import { projectFolder } from '../state.ts';
import type { Attempt, Outcome, Route } from './attempt.ts';
import { Book } from './book.ts';
import { judge, type Evidence, type Verdict } from './verdict.ts';

export interface LedgerOptions {
  readonly vipWriters?: number;
  readonly periodMs?: number;
  /** Hosts that are written to at their own address and socket; all of the lab by default. */
  readonly hosts?: readonly string[];
}

/** Which attempts to wait for. */
export interface Wanted {
  /** `vip` unless given. */
  readonly route?: string;
  /** On the clock of `Ledger.now()`. */
  readonly since?: number;
  readonly timeoutMs?: number;
}

interface Running {
  readonly place: string;
  readonly process: ChildProcess;
  readonly errorLog: string;
  readonly ended: Promise<unknown>;
}

/** What nsenter answers for a program that was killed together with its host. */
const killedOnHost = 137;
const writer = path.join(projectFolder, 'dist', 'lab', 'ledger', 'writer.js');

/** A number that no ledger of the lab has, with a folder of that name: tokens begin with it, and books of two ledgers must not be mixed. */
export function takeId(parent: string, draw: () => number = () => randomInt(1, 65_536)): number {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (;;) {
    const id = draw();
    try {
      mkdirSync(path.join(parent, String(id)), { mode: 0o700 });
      return id;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Writers at every door of the cluster, and their books: through the VIP, to each host's address, and on each host's socket. */
export class Ledger {
  readonly folder: string;
  readonly #lab: Lab;
  readonly #periodMs: number;
  readonly #vipWriters: number;
  readonly #hosts: readonly string[];
  readonly #id: number;
  #writers = 0;
  #running: readonly Running[] = [];
  readonly #books: Book[] = [];

  private constructor(lab: Lab, options: LedgerOptions) {
    this.#lab = lab;
    this.#periodMs = options.periodMs ?? 10;
    this.#vipWriters = options.vipWriters ?? 1;
    this.#hosts = options.hosts ?? lab.hosts.map((host) => host.name);
    this.#id = takeId(path.join(lab.folder, 'ledger'));
    this.folder = path.join(lab.folder, 'ledger', String(this.#id));
  }

  /** Starts all writers. They outlive any fault; what is refused is written down and tried again. */
  static start(lab: Lab, options: LedgerOptions = {}): Ledger {
    const ledger = new Ledger(lab, options);
    ledger.begin();
    return ledger;
  }

  /** Starts the writers, at the beginning and again after a stop. */
  begin(): void {
    const vip = Array.from({ length: this.#vipWriters }, () => this.#route('vip', { host: this.#lab.vip }));
    const direct = this.#hosts.map((name) => this.#route(name, { host: this.#lab.host(name).address }));
    this.#start(this.#lab.app, [...vip, ...direct]);
    for (const name of this.#hosts) if (this.#lab.host(name).isOn()) this.hostIsBack(name);
  }

  /** Now, on the clock of the ledgers: microseconds of CLOCK_MONOTONIC. */
  static now(): number {
    return Number(process.hrtime.bigint() / 1000n);
  }

  /** The writer on a host's socket died with its host; this starts another. */
  hostIsBack(name: string): void {
    this.#start(this.#lab.host(name), [this.#route(`${name}/socket`, { socketPath: '/run/mysqld/mysqld.sock' })]);
  }

  /** Ends all writers after the attempt they are at. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    for (const one of running) one.process.stdin?.end();
    await Promise.all(running.map((one) => one.ended));
    running.forEach(requireSound);
  }

  attempts(): readonly Attempt[] {
    return this.#books.flatMap((book) => book.attempts());
  }

  /** Waits until `count` writes that were sent after `since` have been acknowledged on a route. */
  acknowledged(count: number, wanted: Wanted = {}): Promise<void> {
    return this.#wait(count, { ...wanted, outcomes: ['ack'] });
  }

  /** As `acknowledged`, whatever became of them. */
  attempted(count: number, wanted: Wanted = {}): Promise<void> {
    return this.#wait(count, { ...wanted, outcomes: ['ack', 'refused', 'unknown'] });
  }

  /** The verdict on everything written, with the rows that the final primary has now. Stop the writers first. */
  async verdict(options: { readonly primary: string } & Pick<Evidence, 'faultAt' | 'succession'>): Promise<Verdict> {
    const { primary, ...rest } = options;
    return judge({ attempts: this.attempts(), onPrimary: await this.rowsOn(primary), ...rest });
  }

  /** Tokens of the rows that this ledger's writers have on a host. */
  async rowsOn(host: string): Promise<readonly string[]> {
    const mine = `token >> 48 = ${String(this.#id)}`;
    const rows = await this.#lab.host(host).sql(`SELECT token FROM ledger.writes WHERE ${mine}`);
    return rows.map(([token = '']) => token);
  }

  /** Whether one of this ledger's writers has made a token. */
  isMine(token: string): boolean {
    return BigInt(token) >> 48n === BigInt(this.#id);
  }

  async #wait(count: number, wanted: Wanted & { readonly outcomes: readonly Outcome[] }): Promise<void> {
    const { route = 'vip', since = 0, timeoutMs = 30_000, outcomes } = wanted;
    const isOne = (one: Attempt): boolean =>
      one.route === route && one.sentAt >= since && outcomes.includes(one.outcome);
    const enough = (): true | undefined => {
      this.#running.forEach(requireSound);
      return this.attempts().filter(isOne).length >= count ? true : undefined;
    };
    await until(`${String(count)} ${outcomes.join(' or ')} through ${route}`, enough, timeoutMs);
  }

  #route(route: string, where: Pick<Route, 'host' | 'socketPath'>): Route {
    this.#writers += 1;
    return { route, writer: this.#id * 256 + this.#writers, ...where };
  }

  #start(place: Seat | Host, routes: readonly Route[]): void {
    const base = path.join(this.folder, `${String(this.#writers).padStart(3, '0')}-${place.name}`);
    const book = openSync(`${base}.jsonl`, 'a');
    const errors = openSync(`${base}.err`, 'a');
    this.#books.push(new Book(`${base}.jsonl`));
    const child = place.spawn([process.execPath, writer], { stdio: ['pipe', book, errors], cwd: '/' });
    closeSync(book);
    closeSync(errors);
    const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    child.stdin?.on('error', () => undefined);
    const password = passwordOf(this.#lab.state, 'app');
    child.stdin?.write(`${JSON.stringify({ routes, user: 'app', password, periodMs: this.#periodMs })}\n`);
    this.#running = [...this.#running, { place: place.name, process: child, errorLog: `${base}.err`, ended }];
  }
}

/** A writer that was killed did its work until then. One that gave up proves nothing, and neither does its ledger. */
function requireSound({ place, process: child, errorLog }: Running): void {
  const code = child.exitCode;
  if (code === null || code === 0 || code === killedOnHost) return;
  throw new LabError(
    `the ledger's writer at ${place} ended with exit code ${String(code)}:\n${readFileSync(errorLog, 'utf8')}`,
  );
}
