import type { RejoinResult } from '../domain/rejoin.ts';
import type { Tail } from '../domain/tail.ts';
import type { Paint } from './paint.ts';
import { renderTimeline } from './render-timeline.ts';

export function renderRejoin(result: RejoinResult, paint: Paint): string {
  return [paint.strong(result.sentence), facts(result, paint).join('\n'), renderTimeline(result.timeline, paint)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function facts(result: RejoinResult, paint: Paint): readonly string[] {
  if (result.outcome === 'quarantined')
    return [
      ...result.tails.filter((tail) => tail.count > 0).map((tail) => `  set aside: ${describeTail(tail)}`),
      `  ${paint.bad('next')}:      ${result.remedy}`,
    ];
  const mode = result.mode === 'lossless' ? paint.good('lossless') : paint.warn('async');
  return [
    `  follows:   ${result.primary} (${mode})`,
    ...(result.checksum === null
      ? []
      : [`  proven:    ${String(result.checksum.tables)} tables at ${result.checksum.position}`]),
  ];
}

const describeTail = ({ name, count, upTo, bytes }: Tail): string =>
  `${String(count)} transactions up to ${upTo} (${String(bytes)} bytes) in /var/lib/standfast/quarantine/${name}`;
