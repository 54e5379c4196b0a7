import type { Round } from './round.ts';

export interface Summary {
  readonly rounds: number;
  readonly violations: number;
  readonly seeds: readonly number[];
  readonly lossless: number;
  readonly async: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** Writes in the logs of deposed primaries that were compared with what the operations said of them; logs that could not be read. */
  readonly compared: number;
  readonly unread: number;
  /** How the first failover of a round ended. */
  readonly endings: Readonly<Record<string, number>>;
  /** Answers of a person to what a failover asked. */
  readonly accepted: number;
  /** What was done with clusters that were well again, and how it ended. */
  readonly afterwards: Readonly<Record<string, number>>;
  /** Faults that were really made, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** From the first blow to the primary to the first write through the VIP, in rounds whose first failover succeeded. */
  readonly writeOutageMs: Percentiles | null;
  readonly roundMs: Percentiles | null;
  /** `MODE SEED/ROUND` of each round with a violation. */
  readonly failed: readonly string[];
}

interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

export function summarise(rounds: readonly Round[]): Summary {
  const ofMode = (mode: string): number => rounds.filter(({ plan }) => plan.mode === mode).length;
  const outages = rounds.flatMap(({ ending, ledger }) =>
    ending.kind === 'failed-over' && ledger.writeOutageMs !== undefined ? [ledger.writeOutageMs] : [],
  );
  const logs = rounds.flatMap(({ compared }) => Object.values(compared));
  return {
    rounds: rounds.length,
    violations: sum(rounds.map(({ violations }) => violations.length)),
    seeds: [...new Set(rounds.map(({ plan }) => plan.seed))],
    lossless: ofMode('lossless'),
    async: ofMode('async'),
    acknowledged: sum(rounds.map(({ ledger }) => ledger.acknowledged)),
    lost: sum(rounds.map(({ ledger }) => ledger.lost.length)),
    compared: sum(logs.map((count) => count ?? 0)),
    unread: logs.filter((count) => count === null).length,
    endings: countOf(rounds.map(({ ending }) => ending.kind)),
    accepted: sum(rounds.map(({ accepted }) => accepted.length)),
    afterwards: countOf(
      rounds.flatMap(({ afterwards }) =>
        afterwards.map(
          ({ operation, type, kind }) => `${operation.replace(/ db\d$/, '')}: ${kind === 'done' ? type : kind}`,
        ),
      ),
    ),
    faults: countOf(
      rounds.flatMap(({ faults }) => faults.filter((one) => one.madeAtMs !== null).map(({ kind }) => kind)),
    ),
    writeOutageMs: percentiles(outages),
    roundMs: percentiles(rounds.map(({ tookMs }) => tookMs)),
    failed: rounds
      .filter(({ violations }) => violations.length > 0)
      .map(({ plan }) => `${plan.mode} ${String(plan.seed)}/${String(plan.round)}`),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function countOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function percentiles(values: readonly number[]): Percentiles | null {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return sorted.length === 0 ? null : { p50: at(0.5), p90: at(0.9), max: at(1) };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The line of a round, as it is finished. */
export function describeRound({ ledger, ...round }: Round): string {
  const { plan, faults, accepted, ending, remedies, primary, out, compared, violations } = round;
  const made = faults.map((one) => (one.madeAtMs === null ? `(${one.fault}: not made)` : one.fault)).join('; ');
  const outage = ledger.writeOutageMs === undefined ? '' : `, outage ${seconds(ledger.writeOutageMs)}`;
  const afterwards = [...remedies.map((one) => one.ending), ...round.afterwards]
    .map(({ operation, type, kind }) => `${operation} ${kind === 'done' ? type : kind}`)
    .join(', ');
  const answered = accepted
    .map(({ fence, loss }) => `, accepted ${fence ? 'fence, ' : ''}loss ${String(loss)}`)
    .join('');
  const all = round.byThemselves.map(({ operation, type, kind }) => `${operation} ${kind === 'done' ? type : kind}`);
  const logs = Object.entries(compared).map(
    ([host, count]) => `, ${host} ${count === null ? 'not read' : `compared (${String(count)} writes)`}`,
  );
  return [
    `${plan.mode} ${String(plan.seed)}/${String(plan.round)}  [${made}]`,
    `  → ${ending.kind} (${ending.type}, ${seconds(ending.tookMs)}${answered})${afterwards === '' ? '' : `, then ${afterwards}`}; primary ${primary ?? 'none'}${all.length === 0 ? '' : `; in all: ${all.join(', ')}`}`,
    `  acknowledged ${String(ledger.acknowledged)}, lost ${String(ledger.lost.length)}, unknown ${String(ledger.unknown)}${logs.join('')}${outage}; out: ${out.join(', ') || 'nobody'}; ${seconds(round.tookMs)} (${round.phasesMs.map(seconds).join(', ')})`,
    ...violations.map(({ invariant, what }) => `  VIOLATION ${invariant}: ${what}`),
  ].join('\n');
}
