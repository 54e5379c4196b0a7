import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';
import type { ListedSchedule, ScheduledRun } from './schedule-list.ts';
import type { ScheduleChange } from './schedule-plan.ts';

export function renderSchedules(schedules: readonly ListedSchedule[], paint: Paint): string {
  if (schedules.length === 0)
    return 'nothing is on schedule; standfast schedule apply makes what the inventory asks for';
  const table = renderTable(
    ['SCHEDULE', 'EVERY', 'LAST DUE', 'VERDICT', 'NEXT RUN', 'MISSED', 'SKIPPED'],
    schedules.map((one) => [
      one.scheduleId,
      one.everySeconds === null ? 'its own times' : `${String(one.everySeconds)} s`,
      one.lastRun?.dueAt ?? '-',
      one.lastRun === null ? '-' : verdictOf(one.lastRun),
      one.paused ? 'paused' : (one.nextRunAt ?? '-'),
      String(one.missed),
      String(one.skipped),
    ]),
  );
  const paused = schedules.filter((one) => one.paused).map((one) => `  ${one.scheduleId}: ${one.note}`);
  return [table, ...(paused.length === 0 ? [] : ['', ...paused.map((line) => paint.warn(line))])].join('\n');
}

const verdictOf = ({ status, outcome }: ScheduledRun): string => outcome ?? status;

const DONE = { create: 'created', update: 'updated', delete: 'deleted', keep: 'as it was', refuse: 'refused' } as const;
const COLOURS = { create: 'good', update: 'warn', delete: 'bad', keep: 'faint', refuse: 'bad' } as const;

/** The difference between the inventory and Temporal, a line for each schedule. */
export const renderPlan = (changes: readonly ScheduleChange[], paint: Paint): string =>
  changes
    .map(
      ({ action, scheduleId, why }) =>
        `  ${paint[COLOURS[action]](action.padEnd(6))}  ${scheduleId}  ${paint.faint(why)}`,
    )
    .join('\n');

export function renderApplied(changes: readonly ScheduleChange[]): string {
  const counts = (['create', 'update', 'delete', 'keep'] as const)
    .map((action) => [changes.filter((one) => one.action === action).length, DONE[action]] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${String(count)} ${word}`);
  return `schedules: ${counts.length === 0 ? 'none asked for, none there' : counts.join(', ')}`;
}
