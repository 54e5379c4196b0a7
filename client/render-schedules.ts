import type { AppliedSchedule, VerifySchedule } from './schedules.ts';
import { renderTable } from './render-table.ts';

export function renderSchedules(schedules: readonly VerifySchedule[]): string {
  if (schedules.length === 0) return 'no cluster is verified on schedule; standfast schedule apply CLUSTER makes one';
  return renderTable(
    ['CLUSTER', 'SCHEDULE', 'EVERY', 'NEXT RUN'],
    schedules.map((schedule) => [
      schedule.cluster,
      schedule.scheduleId,
      `${String(schedule.everySeconds)} s`,
      schedule.paused ? 'paused' : (schedule.nextRunAt ?? '-'),
    ]),
  );
}

export function renderApplied(schedule: AppliedSchedule): string {
  const done = schedule.created ? 'created' : 'up to date';
  const next = schedule.paused ? 'paused by a person, and left so' : `next run ${schedule.nextRunAt ?? 'unknown'}`;
  return `${schedule.scheduleId} is ${done}: ${schedule.cluster} is verified every ${String(schedule.everySeconds)} s; ${next}`;
}
