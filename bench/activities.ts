import type { WorkflowHandle } from '@temporalio/client';

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

export interface ActivityTime {
  readonly activity: string;
  readonly durationMs: number;
}

/** How long each activity of a run took, from its scheduling to its end, in the order of their ends. */
export function activityTimes(events: Events): readonly ActivityTime[] {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap((event) => {
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed === null || completed === undefined) return [];
    const begun = scheduled.get(String(completed.scheduledEventId));
    const activity = begun?.activityTaskScheduledEventAttributes?.activityType?.name ?? '';
    return [{ activity, durationMs: millisecondsOf(event.eventTime) - millisecondsOf(begun?.eventTime) }];
  });
}

const millisecondsOf = (time: Events[number]['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;
