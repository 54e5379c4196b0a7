import type { FailoverResult, FenceProof, Loss, PrepareResult, ProvisionResult } from '../domain/report.ts';
import type { EventsReport } from '../domain/events.ts';
import type { Salvage } from '../domain/tail.ts';
import type { Paint } from './paint.ts';
import { renderBytes, renderDuration } from './render-quantities.ts';
import { renderTimeline, timelineSpanMs } from './render-timeline.ts';
import { renderVerdict } from './render-verdict.ts';
import { renderVotes } from './render-votes.ts';

/** Parts with an empty line between them; an empty part leaves none. */
const paragraphs = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n');

export function renderFailover(result: FailoverResult, paint: Paint): string {
  const { decision, loss, timeline, verdict } = result;
  return paragraphs([
    paint.strong(result.sentence),
    [
      `  primary:  ${primaryChange(result)}`,
      ...(decision === null ? [] : [`  why:      ${decision.diagnosis.explains} (${decision.diagnosis.code})`]),
      ...(decision === null ? [] : [`  fence:    ${renderFence(decision.fence)}`]),
      ...(loss === null ? [] : [`  loss:     ${renderLoss(loss, paint)}`]),
      ...renderEvents(result.events ?? null, paint),
      `  took:     ${renderDuration(timelineSpanMs(timeline))}`,
    ].join('\n'),
    decision === null ? '' : renderVotes(decision.votes, result.newPrimary, 'elected'),
    renderTimeline(timeline, paint),
    verdict === null ? '' : `afterwards: ${renderVerdict(verdict, paint)}`,
  ]);
}

function primaryChange({ oldPrimary, newPrimary, epoch, outcome }: FailoverResult): string {
  const change = outcome === 'failed-over' ? `${oldPrimary} -> ${newPrimary}` : `${newPrimary}, as before`;
  return `${change} (epoch ${String(epoch.number)})`;
}

const RUNGS = {
  ssh: 'stopped and shut off over SSH',
  powerOff: 'powered off',
  revocation: 'deprived of its ackers',
  accepted: 'accepted without proof',
  earlier: 'fenced by an earlier run',
} as const;

const renderFence = ({ rung, host, proof }: FenceProof): string => `${host} ${RUNGS[rung]}: ${proof}`;

function renderLoss({ lossless, explains, lost, missing, salvage }: Loss, paint: Paint): string {
  const what = lossless ? `${paint.good('none')}: ${explains}` : `${paint.bad('LOSSY')}: ${explains}`;
  const howMuch = lossless
    ? ''
    : lost === null
      ? '; how much is not known'
      : `; ${String(lost.count)} transactions, up to ${missing}`;
  return [`${what}${howMuch}`, ...renderSalvage(salvage)].join('\n            ');
}

const renderSalvage = ({ applied, quarantined, folder, why }: Salvage): readonly string[] => [
  ...(applied.count > 0 ? [`saved from the old primary: ${String(applied.count)} transactions`] : []),
  ...(quarantined.count > 0
    ? [`kept aside in ${folder} on the old primary: ${String(quarantined.count)} transactions`]
    : []),
  ...(why === '' ? [] : [why]),
];

/** One line, and two more for each that a person decides about. */
function renderEvents(report: EventsReport | null, paint: Paint): readonly string[] {
  if (report === null) return [];
  const { enabled, disabled, leftOff, fault } = report;
  if (enabled.length + disabled.length + leftOff.length === 0 && fault === undefined) return [];
  const parts = [
    ...(enabled.length > 0 ? [`running again: ${enabled.join(', ')}`] : []),
    ...(disabled.length > 0 ? [`as disabled as before: ${disabled.join(', ')}`] : []),
    ...(leftOff.length > 0 ? [paint.warn(`${String(leftOff.length)} LEFT OFF`)] : []),
    ...(fault === undefined ? [] : [paint.warn(fault)]),
  ];
  const each = leftOff.flatMap(({ event, why, statement }) => [`${event}: ${why}`, `  on the primary: ${statement}`]);
  return [`  events:   ${[parts.join('; '), ...each].join('\n            ')}`];
}

export function renderProvision(result: ProvisionResult, paint: Paint): string {
  const { checksum, timeline } = result;
  const span = timelineSpanMs(timeline);
  return paragraphs([
    paint.strong(result.sentence),
    [
      `  copied:   ${renderBytes(result.bytes)} from ${result.donor}, consistent at ${result.snapshot}`,
      `  proven:   ${String(checksum.tables)} tables compared row by row at ${checksum.position}`,
      ...(span > 0 ? [`  took:     ${renderDuration(span)}`] : []),
    ].join('\n'),
    renderTimeline(timeline, paint),
  ]);
}

export function renderPrepare(result: PrepareResult, paint: Paint): string {
  const mode =
    result.mode === 'lossless' ? paint.good('lossless') : paint.warn('async: the loss of the primary can lose writes');
  return paragraphs([
    paint.strong(result.sentence),
    [
      `  primary:  ${result.host} (epoch ${String(result.epoch.number)})`,
      `  mode:     ${mode}`,
      ...renderEvents(result.events ?? null, paint),
    ].join('\n'),
    renderTimeline(result.timeline, paint),
  ]);
}
