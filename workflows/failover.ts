import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { Activities, Fenced, Promoted } from '../activities/contract.ts';
import type { FailoverInput } from '../domain/inputs.ts';
import { parseFailover } from '../domain/inputs.ts';
import type { FailoverDecision, FailoverResult, Loss } from '../domain/report.ts';
import { isDown } from '../domain/report.ts';
import { NOTHING_TO_SALVAGE } from '../domain/tail.ts';
import { failure } from './failures.ts';
import { fenceDeposed } from './fence-deposed.ts';
import { accept, atAddress, deposedId, label, operationId } from './operation.ts';
import { RunPage } from './progress.ts';
import { Question } from './question.ts';
import { brief, critical } from './steps.ts';
import type { UndoStack } from './undo.ts';
import { compensated, heedCancellation, namedFailure, sentenceOf } from './undo.ts';
import { lookIfPossible } from './verdict.ts';

const PHASES = ['fence and drain', 'promote and route', 'settle', 'verify'];

/** The primary is dead: fence it with proof, elect, drain, promote, route, report. Undone before the promotion, forward only after it. */
export async function failover(input: unknown): Promise<FailoverResult> {
  const order = accept(parseFailover(input));
  label('failover', order.cluster);
  return atAddress(operationId(order.cluster), order, () =>
    compensated(`failover of ${order.cluster}`, (undo) => failOver(order, undo)),
  );
}

async function failOver(order: FailoverInput, undo: UndoStack): Promise<FailoverResult> {
  const { cluster } = order;
  const { runId: run } = workflowInfo();
  const page = new RunPage(`Failover of ${cluster}${order.reason === undefined ? '' : `: ${order.reason}`}`, PHASES);
  const question = new Question(order, page);
  page.enter('fence and drain');
  undo.push(() => critical('undo: remove the fence, open the old primary').undoFence({ cluster, run }));
  const fenced = await question.untilAccepted((accepted) =>
    critical(`fence the primary of ${cluster}, elect, drain`).fenceAndDrain({
      cluster,
      run,
      candidate: order.candidate ?? null,
      accepted,
    }),
  );
  if (fenced.kind === 'refused') throw refused(fenced, undo);
  if (fenced.kind !== 'ready') return spare(fenced, { order, run, undo, page });
  heedCancellation();
  // ── point of no return ──
  undo.commit(`${fenced.winner} may be recorded as primary; start the failover again to go on`);
  return CancellationScope.nonCancellable(() => goForward(order, { fenced, page }));
}

async function goForward(
  order: FailoverInput,
  { fenced, page }: { readonly fenced: Extract<Fenced, { kind: 'ready' }>; readonly page: RunPage },
): Promise<FailoverResult> {
  const { cluster } = order;
  const { runId: run } = workflowInfo();
  const { winner, epoch, decision } = fenced;
  page.note(`Elected ${winner}; ${decision.coverage.why}. Fence: ${decision.fence.proof}`);
  page.enter('promote and route');
  const promoted = await critical(`promote ${winner} (epoch ${String(epoch.number)})`).promoteAndRoute({
    cluster,
    run,
    winner,
    fence: decision.fence,
    epoch,
  });
  page.enter('settle');
  if (!isDown(decision.fence)) await leaveDeposed(cluster, decision.fence.host, page);
  await settle({ cluster, run, primary: winner, epoch: promoted.epoch }, page);
  page.enter('verify');
  const result = await report(order, fenced, promoted);
  page.note(result.sentence);
  page.end('failed-over', `bring ${result.oldPrimary} back: it starts closed`);
  return result;
}

/** It cannot acknowledge a write, but it may still be open and hold the VIP: a run of its own shuts it off when it answers. */
async function leaveDeposed(cluster: string, host: string, page: RunPage): Promise<void> {
  const workflowId = deposedId(cluster, host);
  page.note(`${host} was not reached; \`${workflowId}\` shuts it off as soon as it answers`);
  try {
    await startChild(fenceDeposed, {
      workflowId,
      args: [{ cluster, host }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '1s',
      staticSummary: `shut off ${host} as soon as it answers`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; // one that waits already will do
  }
}

/** Clients are served already: what cannot be tidied is said, and is no reason to call the failover failed. */
async function settle(input: Parameters<Activities['settleCluster']>[0], page: RunPage): Promise<void> {
  try {
    await brief(`forget the old channel on ${input.primary}`).settleCluster(input);
  } catch (error) {
    if (namedFailure(error) === null) throw error;
    page.note(`Not settled: ${sentenceOf(error)}. Run standfast prepare ${input.cluster} ${input.primary}`);
  }
}

function refused(fenced: Extract<Fenced, { kind: 'refused' }>, undo: UndoStack) {
  if (!fenced.changed) undo.forget();
  const tail = fenced.changed ? '' : '. Nothing was changed';
  return failure('Unsafe', `${fenced.explains}${tail}. What you can do: ${fenced.remedy}`, { changed: fenced.changed });
}

interface Spared {
  readonly order: FailoverInput;
  readonly run: string;
  readonly undo: UndoStack;
  readonly page: RunPage;
}

/** The primary lives. Closed, as after a restart, it is opened again under this run's epoch; open, it is left alone. */
async function spare(
  fenced: Exclude<Fenced, { kind: 'ready' | 'refused' }>,
  { order, run, undo, page }: Spared,
): Promise<FailoverResult> {
  const { cluster } = order;
  undo.forget();
  if (fenced.kind === 'alive')
    throw failure('Unsafe', `${fenced.primary} is alive: ${fenced.diagnosis.explains}. Nothing was changed`, {
      changed: false,
    });
  const opened = await critical(`open ${fenced.primary} again`).openPrimary({ cluster, run, host: fenced.primary });
  page.end('reopened');
  return {
    outcome: 'reopened',
    cluster,
    oldPrimary: fenced.primary,
    newPrimary: fenced.primary,
    epoch: opened.epoch,
    sentence: `${fenced.primary} was alive and closed; it is open again. ${opened.sentence}`,
    decision: null,
    loss: null,
    timeline: [...fenced.timeline, ...opened.timeline],
    verdict: await lookIfPossible(cluster),
  };
}

async function report(
  order: FailoverInput,
  fenced: Extract<Fenced, { kind: 'ready' }>,
  promoted: Promoted,
): Promise<FailoverResult> {
  const { winner, decision } = fenced;
  const oldPrimary = decision.fence.host;
  return {
    outcome: 'failed-over',
    cluster: order.cluster,
    oldPrimary,
    newPrimary: winner,
    epoch: promoted.epoch,
    sentence: sentenceOfResult(oldPrimary, { fenced, promoted, cluster: order.cluster }),
    decision,
    loss: lossOf(decision),
    timeline: [...fenced.timeline, ...promoted.timeline],
    verdict: await lookIfPossible(order.cluster),
  };
}

type Decided = Pick<FailoverDecision, 'coverage'> & Partial<Pick<FailoverDecision, 'salvage'>>;

/** A run that was under way during an upgrade may have decided without a word about salvage. */
function lossOf({ coverage, salvage = NOTHING_TO_SALVAGE }: Decided): Loss {
  if (coverage.kind === 'lossless')
    return { lossless: true, explains: coverage.why, lost: { count: 0, gtids: [] }, missing: '', salvage };
  const lost = coverage.count === null ? null : { count: coverage.count, gtids: salvage.quarantined.gtids };
  return { lossless: false, explains: coverage.why, lost, missing: coverage.missing, salvage };
}

function sentenceOfResult(
  oldPrimary: string,
  done: { readonly cluster: string; readonly fenced: Extract<Fenced, { kind: 'ready' }>; readonly promoted: Promoted },
): string {
  const { winner, decision } = done.fenced;
  const { epoch, mode, secondHolder } = done.promoted;
  const loss =
    decision.coverage.kind === 'lossless'
      ? `no acknowledged write is missing: ${decision.coverage.why}`
      : `acknowledged writes may be LOST, accepted by ${decision.accepted?.by ?? 'nobody'}: ${decision.coverage.why}`;
  const second = secondHolder === null ? '' : `. The old primary may still hold the VIP: ${secondHolder}`;
  return `${winner} is the primary of ${done.cluster} instead of ${oldPrimary} (epoch ${String(epoch.number)}, ${mode}); ${loss}${second}`;
}
