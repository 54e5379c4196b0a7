import { setTimeout as pause } from 'node:timers/promises';
import { runningActivity } from '../../lab/activity.ts';
import { LabError } from '../../lab/run.ts';
import { actOf } from './acts.ts';
import type { FaultKind } from './catalogue.ts';
import { entryOf, ROLES } from './catalogue.ts';
import type { Fault, Moment, Plan } from './plan.ts';
import { describeFault } from './plan.ts';
import type { Scene } from './scene.ts';
import { CLUSTER } from './stage.ts';

/** What became of a fault, as the journal of rounds keeps it. */
export interface Played {
  readonly fault: string;
  readonly kind: FaultKind;
  /** Whether it ended the work of the primary. */
  readonly endsPrimary: boolean;
  readonly host: string | null;
  /** Milliseconds after `begin`; null when its moment never came. */
  readonly madeAtMs: number | null;
  readonly healedAtMs: number | null;
  /** Why it could not be made or healed: its host was gone already, for example. */
  readonly why: string | null;
}

const LOOK_EVERY_MS = 15;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Plays the faults of a round at their moments, and heals each at its time or at the end. */
export class Script {
  readonly #scene: Scene;
  readonly #plan: Plan;
  readonly #over = new AbortController();
  readonly #played = new Map<Fault, Played>();
  readonly #toHeal = new Set<Fault>();
  #running: Promise<void>[] = [];
  #begunAt = 0;

  constructor(scene: Scene, plan: Plan) {
    this.#scene = scene;
    this.#plan = plan;
  }

  /** Starts the clock; resolves when it is time to call for the failover. */
  async begin(): Promise<void> {
    this.#begunAt = performance.now();
    this.#release('begin');
    await pause(this.#plan.failoverAtMs);
  }

  /** The failover has been called for. */
  callFailover(): void {
    this.#release('failover');
    if (this.#plan.faults.some((fault) => fault.when.after === 'promotion')) this.#running.push(this.#watchPromotion());
  }

  /** Nothing that has not begun begins any more; then everything that is still broken is mended. */
  async end(): Promise<readonly Played[]> {
    this.#over.abort();
    await Promise.all(this.#running);
    // The network and the power first: most other causes can only go away on a host that is there.
    for (const kinds of [['isolate', 'cut', 'one-way-cut', 'parted', 'control-cut', 'power'], null])
      await Promise.all(
        [...this.#toHeal].filter((fault) => kinds?.includes(fault.kind) ?? true).map((fault) => this.#heal(fault)),
      );
    return this.#plan.faults.map(
      (fault) => this.#played.get(fault) ?? this.#record(fault, { why: 'its moment never came' }),
    );
  }

  #release(after: Moment['after']): void {
    for (const fault of this.#plan.faults) if (fault.when.after === after) this.#running.push(this.#play(fault));
  }

  async #play(fault: Fault): Promise<void> {
    if (!(await this.#wait(fault.when.ms))) return;
    this.#toHeal.add(fault);
    try {
      await actOf(fault).make(this.#scene, fault);
      this.#record(fault, { madeAtMs: this.#now() });
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      this.#record(fault, { why: error.message });
    }
    if (fault.lastsMs !== null && (await this.#wait(fault.lastsMs))) await this.#heal(fault);
  }

  async #heal(fault: Fault): Promise<void> {
    this.#toHeal.delete(fault);
    try {
      await actOf(fault).heal?.(this.#scene, fault);
      if (entryOf(fault.kind).lasts !== null) this.#record(fault, { healedAtMs: this.#now() });
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      this.#record(fault, { why: messageOf(error) });
    }
  }

  async #watchPromotion(): Promise<void> {
    const { connection } = this.#scene.stage;
    while (!this.#over.signal.aborted) {
      const running = await runningActivity(connection, `operation/${CLUSTER}`);
      if (running?.activity === 'promoteAndRoute') {
        this.#release('promotion');
        return;
      }
      await this.#wait(LOOK_EVERY_MS);
    }
  }

  /** False when the run has ended meanwhile. */
  async #wait(ms: number): Promise<boolean> {
    try {
      await pause(ms, undefined, { signal: this.#over.signal });
      return true;
    } catch (error) {
      if (this.#over.signal.aborted) return false;
      throw error;
    }
  }

  #now(): number {
    return Math.round(performance.now() - this.#begunAt);
  }

  #record(fault: Fault, change: Partial<Played>): Played {
    const known = this.#played.get(fault) ?? {
      ...{ fault: describeFault(fault), kind: fault.kind, host: fault.host },
      endsPrimary: fault.host === ROLES.primary && entryOf(fault.kind).endsPrimary,
      ...{ madeAtMs: null, healedAtMs: null, why: null },
    };
    const now = { ...known, ...change };
    this.#played.set(fault, now);
    return now;
  }
}
