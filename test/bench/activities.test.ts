import { describe, expect, it } from 'vitest';
import { activityTimes } from '../../bench/activities.ts';

type Events = Parameters<typeof activityTimes>[0];

const scheduled = (id: number, name: string, seconds: number) => ({
  eventId: id,
  eventTime: { seconds, nanos: 0 },
  activityTaskScheduledEventAttributes: { activityType: { name } },
});
const completed = (id: number, scheduledEventId: number, nanos: number) => ({
  eventId: id,
  eventTime: { seconds: 12, nanos },
  activityTaskCompletedEventAttributes: { scheduledEventId },
});

describe('the activities of a run', () => {
  it('took from their scheduling to their end, also side by side', () => {
    const events = [
      scheduled(5, 'copySnapshot', 10),
      scheduled(6, 'glance', 12),
      completed(8, 6, 5e5),
      completed(9, 5, 25e7),
    ];
    expect(activityTimes(events as unknown as Events)).toEqual([
      { activity: 'glance', durationMs: 0.5 },
      { activity: 'copySnapshot', durationMs: 2_250 },
    ]);
  });

  it('are not listed when they never ended', () => {
    expect(activityTimes([scheduled(5, 'copySnapshot', 10)] as unknown as Events)).toEqual([]);
  });
});
