import type { TimelineEntry } from '../domain/report.ts';
import type { Paint } from './paint.ts';
import { renderClock, renderDuration } from './render-quantities.ts';
import { renderTable } from './render-table.ts';

/** The steps as they ran; a line of its own says where one worker stopped and another went on. */
export function renderTimeline(timeline: readonly TimelineEntry[], paint: Paint): string {
  if (timeline.length === 0) return '';
  const table = renderTable(
    ['TIME (UTC)', 'STEP', 'HOST', 'TOOK', 'OUTCOME'],
    timeline.map((entry) => [
      renderClock(entry.startedAt),
      entry.step,
      entry.host ?? '-',
      renderDuration(entry.durationMs),
      entry.outcome,
    ]),
  );
  const [head = '', ...rows] = table.split('\n');
  const marked = rows.flatMap((row, index) => {
    const entry = timeline[index];
    const mark = entry === undefined ? null : takeoverBefore(entry, timeline[index - 1]);
    return mark === null ? [row] : [paint.warn(`  -- ${mark}`), row];
  });
  return [paint.faint(head), ...marked].join('\n');
}

/** Every phase counts its attempts from 1, so a higher one than before means that an attempt ended without its result. */
function takeoverBefore(entry: TimelineEntry, previous: TimelineEntry | undefined): string | null {
  if (entry.attempt <= 1 || entry.attempt === previous?.attempt) return null;
  const attempt = `attempt ${String(entry.attempt)}`;
  if (previous === undefined || previous.worker === entry.worker)
    return `the attempt before did not end; ${entry.worker} went on here (${attempt})`;
  return `worker ${previous.worker} was lost or gave up; ${entry.worker} went on here (${attempt})`;
}

/** From the start of the first step to the end of the last one to end. */
export function timelineSpanMs(timeline: readonly TimelineEntry[]): number {
  const starts = timeline.map((entry) => Date.parse(entry.startedAt));
  const ends = timeline.map((entry) => Date.parse(entry.startedAt) + entry.durationMs);
  return timeline.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
}
