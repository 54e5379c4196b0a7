import type { ScheduleDescription, ScheduleSummary } from '@temporalio/client';
import type { Link } from './connection.ts';
import { StandfastError } from './errors.ts';
import type { ScheduleChange, ScheduleKind } from './schedule-plan.ts';

/** Set when a schedule is made, and never after: what has it is ours. An ID alone could be anybody's. */
export const MEMO = 'standfast';
/** Schedules that are asked for together. */
const AT_ONCE = 20;

/** What the memo of a schedule says. */
export interface ScheduleMark {
  /** The task queue of the installation that made it. */
  readonly queue: string;
  readonly kind: ScheduleKind;
  readonly cluster: string;
  readonly fileset: string | null;
}

const MEANWHILE = 'it was made by somebody else a moment ago';

class TakenMeanwhile extends StandfastError {
  constructor(scheduleId: string) {
    super({ type: 'Unsafe', message: `${scheduleId}: ${MEANWHILE}` });
  }
}

export function markOf({ memo }: Pick<ScheduleSummary, 'memo'>): ScheduleMark | null {
  const mark = memo?.[MEMO];
  return typeof mark === 'object' && mark !== null && 'queue' in mark ? (mark as ScheduleMark) : null;
}

export async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += AT_ONCE)
    results.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(work))));
  return results;
}

/**
 * Changes each; one for which `change` fails with {@link requireOurs} does not keep the others.
 * @param change  resolves with whether it changed something
 * @throws StandfastError `Unsafe`, with what was changed, when all the others are done
 */
export async function eachOfOurs<T extends { readonly scheduleId: string }>(
  items: readonly T[],
  change: (item: T) => Promise<boolean>,
): Promise<void> {
  const outcomes = await inTurns(items, async (item) => {
    try {
      return (await change(item)) ? 'changed' : 'kept';
    } catch (error) {
      if (error instanceof TakenMeanwhile) return 'taken';
      throw error;
    }
  });
  const those = (outcome: 'changed' | 'taken'): readonly string[] =>
    items.filter((_, at) => outcomes[at] === outcome).map(({ scheduleId }) => scheduleId);
  const refused = those('taken').map((scheduleId) => ({ scheduleId, why: MEANWHILE }));
  if (refused.length > 0) throw notOurs(refused, those('changed'));
}

/** To be asked in what {@link eachOfOurs} does. */
export function requireOurs(link: Link, description: ScheduleDescription): void {
  const { scheduleId } = description;
  if (markOf(description)?.queue === link.config.taskQueue) return;
  throw new TakenMeanwhile(scheduleId);
}

type Refused = Pick<ScheduleChange, 'scheduleId' | 'why'>;

export function notOurs(refused: readonly Refused[], changed: readonly string[] = []): StandfastError {
  const done = changed.length === 0 ? 'nothing was changed' : `changed were ${[...changed].sort().join(', ')}`;
  return new StandfastError({
    type: 'Unsafe',
    message: `${refused.map(({ scheduleId, why }) => `${scheduleId}: ${why}`).join('; ')}; ${done}. Look at it, and delete it if nobody needs it: temporal schedule delete --schedule-id ${refused[0]?.scheduleId ?? ''}`,
    // `changed` is said of hosts, and exits as if a person had to look at them.
    facts: {
      ...(changed.length === 0 ? { changed: false } : {}),
      schedules: refused.map(({ scheduleId }) => scheduleId),
    },
  });
}
