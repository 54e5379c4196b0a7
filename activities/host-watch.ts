import type { Pulse } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Silence } from '../domain/observation.ts';
import { reachIn } from './asking.ts';
import type { Pace } from './pace.ts';

/** How a server answered one look. `atMs` is of the watcher's monotonic clock. */
export type Sight<T> =
  | { readonly reach: 'answers'; readonly atMs: number; readonly value: T }
  /** `unasked`: for a reason on this side. */
  | { readonly reach: Silence | 'unasked'; readonly atMs: number; readonly why: string };

/** While something seems wrong, it is looked at this often, for a moment after the last sign of it. */
const HURRY_EVERY_MS = 10;
const HURRY_MS = 200;

export interface Looking<T> {
  readonly pulse: Pulse;
  /** Only reads. */
  readonly look: (pulse: Pulse, timeoutMs: number) => Promise<T>;
  readonly pace: Pace;
  /** A look without an answer for so long is a sight too. */
  readonly silenceMs: number;
  readonly onSight: () => void;
}

/** Looks at one server again and again, and at once when its connection is lost. */
export class HostWatch<T> {
  readonly #looking: Looking<T>;
  #latest: Sight<T> | null = null;
  #hurryUntilMs = 0;
  #wake: () => void = () => undefined;

  constructor(looking: Looking<T>) {
    this.#looking = looking;
    looking.pulse.onLost(() => {
      this.hurry();
    });
  }

  get latest(): Sight<T> | null {
    return this.#latest;
  }

  /** The next look is taken now, and more of them soon after, unless the watcher rests. */
  hurry(): void {
    if (this.#looking.pace.isResting) return;
    this.#hurryUntilMs = performance.now() + HURRY_MS;
    this.#wake();
  }

  /** Ends when it is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { pulse, pace, onSight } = this.#looking;
    signal.addEventListener('abort', () => {
      this.#wake();
    });
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const startedMs = performance.now();
      this.#latest = await this.#sight();
      if (isOver()) break;
      onSight();
      const hurries = startedMs < this.#hurryUntilMs && !pace.isResting;
      await this.#pause(startedMs + (hurries ? HURRY_EVERY_MS : pace.everyMs) - performance.now());
    }
    pulse.close();
  }

  /** A connection that ended says nothing of the server: it is asked over a new one first. */
  async #sight(): Promise<Sight<T>> {
    const first = await this.#sightOnce();
    return first.reach === 'lost' ? this.#sightOnce() : first;
  }

  async #sightOnce(): Promise<Sight<T>> {
    const { pulse, look, silenceMs } = this.#looking;
    try {
      return { reach: 'answers', value: await look(pulse, silenceMs), atMs: performance.now() };
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      return { reach: reachIn(error) ?? 'unasked', why: error.message, atMs: performance.now() };
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
