import type { ListedDelay } from '../domain/lag.ts';
import { renderClock, renderDuration } from './render-quantities.ts';
import { renderTable } from './render-table.ts';

/** One sentence, then a line for each replica. */
export function renderLag(cluster: string, shard: string, delays: readonly ListedDelay[]): string {
  if (delays.length === 0)
    return [
      `No watcher tells of a replica of ${cluster} in shard ${shard}.`,
      `  standfast worker start watches; standfast verify ${cluster} measures the lag once`,
    ].join('\n');
  const known = delays.filter(({ lag }) => lag !== null);
  const [worst] = known.toSorted((one, other) => (other.lag?.lagMs ?? 0) - (one.lag?.lagMs ?? 0));
  const unknown = delays.length - known.length;
  const sentences = [
    ...(worst === undefined ? [] : [`${worst.host} is the furthest behind: ${lagOf(worst)}`]),
    ...(unknown === 0 ? [] : [`of ${String(unknown)} the lag is not known`]),
  ];
  const rows = delays.map((delay) => [
    delay.host,
    lagOf(delay),
    delay.gtidGap === null ? '?' : `${String(delay.gtidGap)} trx`,
    clockOf(delay),
    renderClock(delay.at),
    delay.why ?? '',
  ]);
  return [sentences.join('; '), '', renderTable(['HOST', 'LAG', 'BEHIND', 'CLOCK', 'AT', ''], rows)].join('\n');
}

const lagOf = ({ lag }: ListedDelay): string =>
  lag === null ? '?' : `${renderDuration(lag.lagMs)} ± ${renderDuration(lag.errorMs)}`;

/** Of the replica, against its primary's. */
function clockOf({ clock }: ListedDelay): string {
  if (clock === null) return '?';
  const sign = clock.offsetMs < 0 ? '-' : '+';
  return `${sign}${renderDuration(Math.abs(clock.offsetMs))} ± ${renderDuration(clock.errorMs)}`;
}
