/** Tells what has become different only when it stays so: what flickers for an instant is no news. Instants are of one monotonic clock. */
export class Settled<T> {
  readonly #settleMs: number;
  #told: string | null = null;
  #candidate: { readonly key: string; readonly sinceMs: number } | null = null;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** @returns `news` when `key` has been the same for long enough and is not what was told last; otherwise null */
  hear(key: string, news: T, nowMs: number): T | null {
    if (key === this.#told) {
      this.#candidate = null;
      return null;
    }
    if (this.#candidate?.key !== key) this.#candidate = { key, sinceMs: nowMs };
    if (nowMs - this.#candidate.sinceMs < this.#settleMs) return null;
    this.#told = key;
    this.#candidate = null;
    return news;
  }
}
