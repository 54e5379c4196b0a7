/** Milliseconds of one kind of rounds. */
export interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Measured {
  readonly name: string;
  readonly rounds: number;
  readonly unit: 'ms';
  readonly standfast: Figures;
  readonly floor: Figures;
  /** p50 of Standfast by p50 of the floor. */
  readonly ratio: number;
  readonly lostAcknowledged: number;
  readonly twoWriters: number;
  /** Why the figures say nothing of the software; null: they count. */
  readonly invalid: string | null;
}

/** A machine on which the hand-coded equivalent is slower than this is too noisy to measure on. */
const SLOWEST_FLOOR_MS = 60;

/** Nearest rank: the smallest value that at least `percent` of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const found = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (found === undefined) throw new Error('there are no values to take a percentile of');
  return found;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

export const figuresOf = (values: readonly number[]): Figures => ({
  p50: rounded(percentile(values, 50)),
  p99: rounded(percentile(values, 99)),
  max: rounded(Math.max(...values)),
});

export function compare(
  name: string,
  times: { readonly standfast: readonly number[]; readonly floor: readonly number[] },
  books: { readonly lostAcknowledged: number; readonly twoWriters: number },
): Measured {
  const [standfast, floor] = [figuresOf(times.standfast), figuresOf(times.floor)];
  // Of a primary that says nothing, most of the floor is its own time limit.
  const isBusy = name === 'failover' && floor.p50 > SLOWEST_FLOOR_MS;
  return {
    name,
    rounds: times.standfast.length,
    unit: 'ms',
    standfast,
    floor,
    ratio: rounded(standfast.p50 / floor.p50),
    ...books,
    invalid: isBusy
      ? `the floor's p50 is ${String(floor.p50)} ms, above ${String(SLOWEST_FLOOR_MS)} ms: this machine is too busy`
      : null,
  };
}

export function asTable({
  name,
  rounds,
  standfast,
  floor,
  ratio,
  lostAcknowledged,
  twoWriters,
  invalid,
}: Measured): string {
  const row = (label: string, { p50, p99, max }: Figures): string =>
    [label.padEnd(10), ...[p50, p99, max].map((value) => value.toFixed(1).padStart(9))].join(' ');
  return [
    `${name}: ${String(rounds)} rounds, milliseconds`,
    `${''.padEnd(10)} ${['p50', 'p99', 'max'].map((head) => head.padStart(9)).join(' ')}`,
    row('standfast', standfast),
    row('floor', floor),
    `ratio of the p50s ${String(ratio)}; acknowledged writes lost ${String(lostAcknowledged)}, two writers ${String(twoWriters)}`,
    ...(invalid === null ? [] : [`INVALID: ${invalid}`]),
  ].join('\n');
}
