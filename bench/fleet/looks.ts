import { figuresOf } from '../figures.ts';
import type { Figures } from '../figures.ts';
import type { Member } from './members.ts';
import type { Counts } from './statements.ts';

/** A statement as it came, so that the floor can ask the same. */
export interface Told {
  readonly role: Member['role'];
  readonly text: string;
}

/** What the simulated servers saw in the measured interval. */
export interface Looked {
  readonly probes: number;
  readonly writes: number;
  /** Requests to the host helpers. */
  readonly requests: number;
  /** Milliseconds between two looks at one host. A host that was not looked at again counts with the time that has passed since. */
  readonly periodMs: Figures;
  /** What every host of a role was asked about once a period. */
  readonly usual: readonly Told[];
  /** What nobody knows an answer to, since the start. */
  readonly unknown: readonly string[];
}

interface Kind {
  readonly told: Told;
  times: number;
}

/** Less often than so many times a look, a statement is no part of it. */
const USUAL = 0.5;

/** Counts what is asked, and when each host was looked at. Instants are of one monotonic clock, in milliseconds. */
export class Looks {
  readonly #lastMs: Float64Array;
  readonly #periods: number[] = [];
  readonly #kinds = new Map<string, Kind>();
  readonly #unknown = new Set<string>();
  #beganMs = Number.POSITIVE_INFINITY;
  #endedMs = Number.POSITIVE_INFINITY;
  #probes = 0;
  #writes = 0;
  #requests = 0;

  constructor(hosts: number) {
    this.#lastMs = new Float64Array(hosts).fill(Number.NaN);
  }

  /** Hosts that were looked at since they are there. */
  get seen(): number {
    return this.#lastMs.filter((at) => !Number.isNaN(at)).length;
  }

  begin(nowMs: number): void {
    this.#beganMs = nowMs;
  }

  probed(host: number, nowMs: number): void {
    const sinceMs = nowMs - (this.#lastMs[host] ?? Number.NaN);
    this.#lastMs[host] = nowMs;
    if (!this.#measures(nowMs)) return;
    this.#probes += 1;
    if (!Number.isNaN(sinceMs)) this.#periods.push(sinceMs);
  }

  asked(told: Told, { pattern, counts }: { readonly pattern: string; readonly counts: Counts }, nowMs: number): void {
    if (!this.#measures(nowMs)) return;
    if (counts === 'write') this.#writes += 1;
    const key = `${told.role} ${pattern}`;
    this.#kinds.set(key, { told, times: (this.#kinds.get(key)?.times ?? 0) + 1 });
  }

  requested(nowMs: number): void {
    if (this.#measures(nowMs)) this.#requests += 1;
  }

  notKnown(what: string): void {
    this.#unknown.add(what);
  }

  end(nowMs: number, members: readonly Member[]): Looked {
    this.#endedMs = nowMs;
    const typical = figuresOf(this.#periods.length === 0 ? [nowMs - this.#beganMs] : this.#periods).p50;
    const overdue = [...this.#lastMs]
      .map((at) => nowMs - (Number.isNaN(at) ? this.#beganMs : at))
      .filter((sinceMs) => sinceMs > typical);
    const looks = (role: Member['role']): number =>
      (members.filter((one) => one.role === role).length / members.length) * this.#probes;
    return {
      ...{ probes: this.#probes, writes: this.#writes, requests: this.#requests },
      periodMs: figuresOf([...this.#periods, ...overdue, ...(this.#periods.length === 0 ? [typical] : [])]),
      usual: [...this.#kinds.values()]
        .filter(({ told, times }) => times > USUAL * looks(told.role))
        .map(({ told }) => told),
      unknown: [...this.#unknown],
    };
  }

  #measures(nowMs: number): boolean {
    return nowMs >= this.#beganMs && nowMs < this.#endedMs;
  }
}
