import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { passwordOf } from '../lab-files.ts';
import type { Lab } from '../lab.ts';
import type { Seat, Host } from '../machine.ts';
import { LabError, until } from '../run.ts';
import { projectFolder } from '../state.ts';
import { readAttempts, type Attempt, type Route } from './attempt.ts';
import { judge, type Evidence, type Verdict } from './verdict.ts';

export interface LedgerOptions {
  readonly vipWriters?: number;
  readonly periodMs?: number;
  /** Hosts that are written to at their own address and socket; all of the lab by default. */
  readonly hosts?: readonly string[];
}

interface Running {
  readonly place: string;
  readonly process: ChildProcess;
  readonly errorLog: string;
  readonly ended: Promise<number | null>;
}

const writer = path.join(projectFolder, 'dist', 'lab', 'ledger', 'writer.js');

/** Writers at every door of the cluster, and their books: through the VIP, to each host's address, and on each host's socket. */
export class Ledger {
  readonly folder: string;
  readonly #lab: Lab;
  readonly #periodMs: number;
  readonly #id = randomInt(1, 65_536);
  #writers = 0;
  #running: readonly Running[] = [];

  private constructor(lab: Lab, periodMs: number) {
    this.#lab = lab;
    this.#periodMs = periodMs;
    this.folder = path.join(lab.folder, 'ledger', String(this.#id));
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Starts all writers. They outlive any fault; what is refused is written down and tried again. */
  static start(lab: Lab, options: LedgerOptions = {}): Ledger {
    const ledger = new Ledger(lab, options.periodMs ?? 10);
    const hosts = options.hosts ?? lab.hosts.map((host) => host.name);
    const vip = Array.from({ length: options.vipWriters ?? 1 }, () => ledger.#route('vip', { host: lab.vip }));
    const direct = hosts.map((name) => ledger.#route(name, { host: lab.host(name).address }));
    ledger.#start(lab.app, [...vip, ...direct]);
    for (const name of hosts) if (lab.host(name).isOn()) ledger.hostIsBack(name);
    return ledger;
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
    for (const one of running) {
      const code = await one.ended;
      // Null: killed, which a power-off does. Anything else but 0 is a writer that gave up, and then the ledger proves nothing.
      if (code !== null && code !== 0 && code !== 137) {
        throw new LabError(`the ledger's writer at ${one.place} ended with exit code ${String(code)}:\n${readFileSync(one.errorLog, 'utf8')}`);
      }
    }
  }

  attempts(): readonly Attempt[] {
    const files = readdirSync(this.folder).filter((file) => file.endsWith('.jsonl'));
    return files.flatMap((file) => readAttempts(readFileSync(path.join(this.folder, file), 'utf8')));
  }

  /** Waits until `count` writes that were sent after `since` have been acknowledged on a route. */
  async acknowledged(count: number, options: { readonly route?: string; readonly since?: number; readonly timeoutMs?: number } = {}): Promise<void> {
    const { route = 'vip', since = 0, timeoutMs = 30_000 } = options;
    const enough = (): true | undefined => {
      const acks = this.attempts().filter((one) => one.outcome === 'ack' && one.route === route && one.sentAt >= since);
      return acks.length >= count ? true : undefined;
    };
    await until(`${String(count)} acknowledged writes through ${route}`, enough, timeoutMs);
  }

  /** The verdict on everything written, with the rows that the final primary has now. Stop the writers first. */
  async verdict(options: { readonly primary: string } & Pick<Evidence, 'faultAt' | 'succession'>): Promise<Verdict> {
    const { primary, ...rest } = options;
    const attempts = this.attempts();
    const mine = `token >> 48 = ${String(this.#id)}`;
    const rows = await this.#lab.host(primary).sql(`SELECT token FROM ledger.writes WHERE ${mine}`);
    return judge({ attempts, onPrimary: rows.map(([token = '']) => token), ...rest });
  }

  #route(route: string, where: Pick<Route, 'host' | 'socketPath'>): Route {
    this.#writers += 1;
    return { route, writer: this.#id * 256 + this.#writers, ...where };
  }

  #start(place: Seat | Host, routes: readonly Route[]): void {
    const base = path.join(this.folder, `${String(this.#writers).padStart(3, '0')}-${place.name}`);
    const book = openSync(`${base}.jsonl`, 'a');
    const errors = openSync(`${base}.err`, 'a');
    const child = place.spawn([process.execPath, writer], { stdio: ['pipe', book, errors], cwd: '/' });
    closeSync(book);
    closeSync(errors);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('exit', resolve);
      child.once('error', reject);
    });
    // Judged in stop(); until then a rejection must not end the process that runs the test.
    ended.catch(() => undefined);
    child.stdin?.on('error', () => undefined);
    const password = passwordOf(this.#lab.state, 'app');
    child.stdin?.write(`${JSON.stringify({ routes, user: 'app', password, periodMs: this.#periodMs })}\n`);
    this.#running = [...this.#running, { place: place.name, process: child, errorLog: `${base}.err`, ended }];
  }
}
