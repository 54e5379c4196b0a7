import type { Report } from '../report.ts';
import type { Violation } from './judge.ts';
import type { Blip } from './plan.ts';
import { describeBlip } from './plan.ts';

export interface Summary {
  readonly rounds: number;
  readonly seed: number;
  /** Rounds in which a failover was carried out, or after which somebody else was primary. */
  readonly falseFailovers: number;
  /** Rounds in which one was started that refused by its own looks, with nothing changed. */
  readonly refusedStarts: number;
  readonly violations: readonly string[];
  /** Rounds that were played, by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** What became of the primary that was really killed at the end. */
  readonly control: string;
}

/** How a round ended in which the watcher was wrong and nothing came of it. */
export const REFUSED_START = 'a failover was started and refused itself';
const FALSE: Violation['kind'] = 'false failover';

/** The cell of the report that stands for the primary that is killed at the end. */
export const controlCell = (seed: number): string => `${String(seed)}/end: the primary is killed`;

export const inWords = ({ kind, what }: Violation): string => `${kind}: ${what}`;

export interface Campaign {
  readonly seed: number;
  readonly blips: readonly Blip[];
}

export function summarise(report: Pick<Report, 'outcomeOf'>, { seed, blips }: Campaign): Summary {
  const played = blips.flatMap((blip) => {
    const outcome = report.outcomeOf(describeBlip(blip));
    return outcome === undefined ? [] : [{ kind: blip.kind, ...outcome }];
  });
  const control = report.outcomeOf(controlCell(seed));
  const kinds: Record<string, number> = {};
  for (const { kind } of played) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    ...{ rounds: played.length, seed },
    falseFailovers: played.filter(({ broken }) => broken.some((one) => one.startsWith(FALSE))).length,
    refusedStarts: played.filter(({ ending }) => ending === REFUSED_START).length,
    violations: [...played, ...(control === undefined ? [] : [control])].flatMap(({ cell, broken }) =>
      broken.map((one) => `${cell}: ${one}`),
    ),
    kinds,
    control: control?.ending ?? 'not played',
  };
}

/** For people. */
export const describeSummary = ({
  rounds,
  falseFailovers,
  refusedStarts,
  violations,
  kinds,
  control,
}: Summary): string =>
  [
    Object.entries(kinds)
      .map(([kind, count]) => `${kind} ${String(count)}`)
      .join(', '),
    ...violations,
    `${String(rounds)} blips, ${String(falseFailovers)} false failovers (${String(refusedStarts)} started and refused), ${String(violations.length)} violations; then ${control}`,
  ].join('\n');
