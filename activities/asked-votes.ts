/** The one who stays in trouble is asked about less often. */
const [ASK_EVERY_MS, ASK_LATER_EVERY_MS, SOON_MS] = [500, 1_000, 5_000];
const VOTE_MS = 2_000;

interface Voter {
  readonly name: string;
  askedAtMs: number;
  isAsked: boolean;
  /** It answered, or had its time to, since the trouble began. */
  hasHadItsSay: boolean;
  vote: { readonly reaches: boolean; readonly atMs: number } | null;
}

export interface Electorate {
  readonly voters: readonly string[];
  /** @returns whether the primary is reached from there, alive; null: that cannot be said */
  readonly ask: (voter: string) => Promise<boolean | null>;
  readonly silenceMs: number;
  readonly onFault: (error: unknown) => void;
}

/** What is seen at other places of a primary that does not answer here. They are asked only then. */
export class AskedVotes {
  readonly #electorate: Electorate;
  readonly #voters: readonly Voter[];
  #sinceMs: number | null = null;

  constructor(electorate: Electorate) {
    this.#electorate = electorate;
    this.#voters = electorate.voters.map((name) => ({
      ...{ name, askedAtMs: Number.NEGATIVE_INFINITY, isAsked: false, hasHadItsSay: false, vote: null },
    }));
  }

  /** It answers here. */
  calm(): void {
    if (this.#sinceMs === null) return;
    this.#sinceMs = null;
    for (const voter of this.#voters) [voter.hasHadItsSay, voter.vote] = [false, null];
  }

  /** @returns whether each of them has had its say since the trouble began */
  ask(nowMs: number, names: readonly string[]): boolean {
    this.#sinceMs ??= nowMs;
    const everyMs = nowMs - this.#sinceMs < SOON_MS ? ASK_EVERY_MS : ASK_LATER_EVERY_MS;
    const asked = this.#voters.filter(({ name }) => names.includes(name));
    for (const voter of asked) {
      if (voter.isAsked || nowMs - voter.askedAtMs < everyMs) continue;
      this.#askOne(voter, nowMs).catch(this.#electorate.onFault);
    }
    return asked.every((voter) => voter.hasHadItsSay);
  }

  /** Null: it cannot say, or said so too long ago. */
  voteOf(name: string, nowMs: number): boolean | null {
    const lastsMs = Math.max(VOTE_MS, 2 * this.#electorate.silenceMs);
    const vote = this.#voters.find((voter) => voter.name === name)?.vote ?? null;
    return vote === null || nowMs - vote.atMs > lastsMs ? null : vote.reaches;
  }

  async #askOne(voter: Voter, askedAtMs: number): Promise<void> {
    [voter.askedAtMs, voter.isAsked] = [askedAtMs, true];
    try {
      const reaches = await this.#electorate.ask(voter.name);
      // It was asked about a trouble that is over.
      if (this.#sinceMs === null || askedAtMs < this.#sinceMs) return;
      voter.hasHadItsSay = true;
      if (reaches !== null) voter.vote = { reaches, atMs: performance.now() };
    } finally {
      voter.isAsked = false;
    }
  }
}
