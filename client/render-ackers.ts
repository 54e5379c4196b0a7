import type { AdmitResult, GoAsyncResult, RemoveAckerResult } from '../domain/report.ts';
import type { Paint } from './paint.ts';
import { renderTimeline } from './render-timeline.ts';

export function renderAdmit(result: AdmitResult, paint: Paint): string {
  const { host, cluster, epoch, ackers, mode } = result;
  return [
    paint.strong(
      mode === 'lossless'
        ? `${host} acknowledges writes of ${cluster}`
        : `${host} replicates; ${cluster} is async by policy`,
    ),
    describe({ epoch, mode, ackers }, paint),
    renderTimeline(result.timeline, paint),
  ].join('\n\n');
}

export function renderAckersLeft(result: RemoveAckerResult | GoAsyncResult, paint: Paint): string {
  const { epoch } = result;
  const { mode, ackers } = result.outcome === 'removed' ? result : ({ mode: 'async', ackers: [] } as const);
  return [
    paint.strong(result.sentence),
    describe({ epoch, mode, ackers }, paint),
    renderTimeline(result.timeline, paint),
  ].join('\n\n');
}

function describe({ epoch, mode, ackers }: Pick<AdmitResult, 'epoch' | 'mode' | 'ackers'>, paint: Paint): string {
  const kept =
    mode === 'lossless' ? paint.good('lossless') : paint.warn('async: the loss of the primary can lose writes');
  return `  mode:     ${kept} (epoch ${String(epoch.number)})\n  ackers:   ${ackers.join(', ') || 'none'}`;
}
