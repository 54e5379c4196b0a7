import type { Written } from './init.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

/** What was found, each place where a person has to look, and what to do next. */
export function renderInit({ path, hosts, marks }: Written, paint: Paint): string {
  const many = marks.length === 1 ? '1 place' : `${String(marks.length)} places`;
  return [
    paint.good(`${path} is written: ${hosts.join(', ')}`),
    `${paint.warn(many)} where it could not know:`,
    renderTable(
      ['LINE', 'TODO'],
      marks.map(({ line, what }) => [String(line), what]),
    ),
    `next: look at these, then ${paint.strong(`STANDFAST_CONFIG=${path} standfast doctor`)}`,
  ].join('\n\n');
}
