import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { Fenced } from '../activities/contract.ts';
import { operationId } from '../domain/addresses.ts';
import type { FailoverInput } from '../domain/inputs.ts';
import { parseFailover } from '../domain/inputs.ts';
import type { FailoverPlan } from '../domain/plan.ts';
import type { FailoverResult } from '../domain/report.ts';
import { failure } from './failures.ts';
import { accept, atAddress, label } from './operation.ts';
import { goForward, refusalOf } from './promotion.ts';
import { RunPage } from './progress.ts';
import { Question } from './question.ts';
import { brief, critical } from './steps.ts';
import type { UndoStack } from './undo.ts';
import { compensated, factsOf, heedCancellation } from './undo.ts';
import { lookIfPossible } from './verdict.ts';

const PHASES = ['fence and drain', 'promote and route', 'settle', 'verify'];

/**
 * The primary is dead: fence it with proof, elect, drain, promote, route, report. Undone before the promotion, forward only after it. With `dryRun` it
 * only tells what it would do, beside whatever holds the cluster.
 */
export async function failover(input: unknown): Promise<FailoverResult | FailoverPlan> {
  const order = accept(parseFailover(input));
  label('failover', order.cluster);
  if (order.dryRun === true) return plan(order);
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
  let isFirst = true;
  const decide = (candidate: string | null): Promise<Fenced> =>
    question.untilAccepted(async (accepted) => {
      const input = { cluster, run, candidate, accepted };
      try {
        return await critical(`fence the primary of ${cluster}, elect, drain`).fenceAndDrain(input);
      } catch (error) {
        // There is no such cluster, for one: an undo could only fail for the same reason.
        if (isFirst && factsOf(error).changed === false) undo.forget();
        throw error;
      } finally {
        isFirst = false;
      }
    });
  const fenced = await decide(order.candidate ?? null);
  if (fenced.kind === 'refused') {
    if (!fenced.changed) undo.forget();
    throw refusalOf(fenced);
  }
  if (fenced.kind !== 'ready') return spare(fenced, { order, run, undo, page });
  heedCancellation();
  // ── point of no return ──
  undo.commit(`${fenced.winner} may be recorded as primary; start the failover again to go on`);
  return CancellationScope.nonCancellable(() => goForward(order, { fenced, decide, undo, page }));
}

function plan({ cluster, candidate }: FailoverInput): Promise<FailoverPlan> {
  const page = new RunPage(`Plan of a failover of ${cluster}`, ['observe']);
  return compensated(`planning a failover of ${cluster}`, async () => {
    page.enter('observe');
    const planned = await brief(`what a failover of ${cluster} would do`).planFailover({
      cluster,
      candidate: candidate ?? null,
    });
    page.note(planned.sentence);
    for (const { step, explains, undone } of planned.steps)
      page.note(`${step}: ${explains}${undone ? '' : ' (forward only)'}`);
    page.end(planned.outcome, planned.refusal?.remedy ?? null);
    return planned;
  });
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
  const changed = fenced.changed === true;
  // Opening it starts its replicas again.
  if (fenced.kind === 'closed' || !changed) undo.forget();
  if (fenced.kind === 'alive')
    throw failure(
      'Unsafe',
      `${fenced.primary} is alive: ${fenced.diagnosis.explains}${changed ? '' : '. Nothing was changed'}`,
      { changed },
    );
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
    abandoned: [],
    events: opened.events ?? null,
    timeline: [...fenced.timeline, ...opened.timeline],
    verdict: await lookIfPossible(cluster),
  };
}
