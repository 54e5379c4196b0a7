import { ActivityFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import type { Activities, Fenced, Promoted, Settled } from '../activities/contract.ts';
import { deposedId } from '../domain/addresses.ts';
import type { FailoverInput } from '../domain/inputs.ts';
import type { FailoverResult } from '../domain/report.ts';
import { isDown } from '../domain/report.ts';
import { failure } from './failures.ts';
import type { Abandoned, Done, Ready } from './failover-report.ts';
import { asDecidedBefore, report } from './failover-report.ts';
import { fenceDeposed } from './fence-deposed.ts';
import type { RunPage } from './progress.ts';
import { brief, critical } from './steps.ts';
import type { UndoStack } from './undo.ts';
import { factsOf, namedFailure, sentenceOf } from './undo.ts';

type NotReady = Exclude<Fenced, { kind: 'ready' }>;

interface Way {
  readonly fenced: Ready;
  /** Decides anew, from what is seen and recorded then. Null: whoever is best. */
  readonly decide: (candidate: string | null) => Promise<Fenced>;
  readonly undo: UndoStack;
  readonly page: RunPage;
}

/** Past the point of no return: promotes the winner, or, when that one is lost as well, whoever is elected after it. */
export async function goForward(
  { cluster }: FailoverInput,
  { fenced, decide, undo, page }: Way,
): Promise<FailoverResult> {
  const abandoned: Abandoned[] = [];
  let elected = fenced;
  for (;;) {
    // However this run ends from here on. One that began under an earlier version does it at its end.
    if (mayLiveOn(elected) && patched('deposed-before-promotion')) await leaveDeposed(cluster, elected, page);
    const promoted = await promote(cluster, elected, page);
    if ('epoch' in promoted) return finish({ cluster, fenced: elected, promoted, abandoned }, page);
    abandoned.push({ fenced: elected, why: promoted.why });
    page.note(`${promoted.why}; electing anew`);
    page.enter('fence and drain');
    const next = await decide(null); // whoever was asked for is lost
    if (next.kind !== 'ready') {
      if (wasNeverRecorded(abandoned, next)) undo.takeBack();
      throw next.kind === 'refused' ? refusalOf({ ...next, changed: true }) : spared(cluster, next, elected);
    }
    elected = asDecidedBefore(next, abandoned);
  }
}

/** The promotion, or why its winner is given up. */
async function promote(cluster: string, fenced: Ready, page: RunPage): Promise<Promoted | { readonly why: string }> {
  const { winner, epoch, decision } = fenced;
  page.note(`Elected ${winner}; ${decision.coverage.why}. Fence: ${decision.fence.proof}`);
  page.enter('promote and route');
  try {
    return await critical(`promote ${winner} (epoch ${String(epoch.number)})`).promoteAndRoute({
      cluster,
      run: workflowInfo().runId,
      winner,
      fence: decision.fence,
      epoch,
      kept: decision.votes.map(({ host }) => host),
    });
  } catch (error) {
    if (!(error instanceof ActivityFailure) || factsOf(error).lost !== winner) throw error;
    return { why: sentenceOf(error) };
  }
}

async function finish(done: Omit<Done, 'events'>, page: RunPage): Promise<FailoverResult> {
  const { cluster, fenced, promoted, abandoned } = done;
  page.enter('settle');
  const decided = [...abandoned.map((one) => one.fenced), fenced].filter(mayLiveOn);
  const alive = new Map(decided.map((one) => [one.decision.fence.host, one]));
  for (const one of alive.values()) await leaveDeposed(cluster, one, page);
  const { runId: run } = workflowInfo();
  const settled = await settle(
    { cluster, run, primary: fenced.winner, epoch: promoted.epoch, fence: fenced.decision.fence },
    page,
  );
  page.enter('verify');
  const result = await report({ ...done, events: settled?.events ?? null });
  page.note(result.sentence);
  page.end('failed-over', `bring ${result.oldPrimary} back: it starts closed`);
  return result;
}

/**
 * The old primary is still on record, so that nothing went forward. Where a person had answered for it, that counted as its vote for the winner, and only the
 * winner may know; of a failover that was gone on with, the winner is on record somewhere.
 */
function wasNeverRecorded(abandoned: readonly Abandoned[], ended: NotReady): boolean {
  const recorded = ended.kind === 'refused' ? ended.recorded : ended.primary;
  return (
    abandoned.at(-1)?.fenced.decision.fence.host === recorded &&
    abandoned.every(({ fenced }) => !['accepted', 'earlier'].includes(fenced.decision.fence.rung))
  );
}

/** Whoever is on record as the primary is back. */
function spared(cluster: string, { primary, diagnosis }: Extract<Fenced, { kind: 'alive' | 'closed' }>, lost: Ready) {
  const { winner, decision } = lost;
  const back = `is back (${diagnosis.explains})`;
  const open = `standfast prepare ${cluster} ${primary}`;
  const explains =
    primary === decision.fence.host
      ? `${primary}, which was to be replaced, ${back}, and ${winner} was lost in its promotion. Should it not be open again, see to it that ${winner} is off; what you can do then: ${open}`
      : `${primary} was lost during its promotion and ${back}. What you can do: ${open}`;
  return failure('Unsafe', explains, { changed: true });
}

const mayLiveOn = ({ decision }: Ready): boolean => !isDown(decision.fence);

/** It cannot acknowledge a write, but it may still be open and hold the VIP: a run of its own shuts it off when it answers. */
async function leaveDeposed(cluster: string, { decision, epoch }: Ready, page: RunPage): Promise<void> {
  const { host } = decision.fence;
  const workflowId = deposedId(cluster, host);
  try {
    await startChild(fenceDeposed, {
      workflowId,
      args: [{ cluster, host, epoch: epoch.number }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '1s',
      staticSummary: `shut off ${host} as soon as it answers`,
    });
    page.note(`${host} was not reached; \`${workflowId}\` shuts it off as soon as it answers`);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; // one that waits already will do
  }
}

/** Clients are served already: what cannot be tidied is said, and is no reason to call the failover failed. */
async function settle(input: Parameters<Activities['settleCluster']>[0], page: RunPage): Promise<Settled | undefined> {
  try {
    return await brief(`forget the old channel on ${input.primary}`).settleCluster(input);
  } catch (error) {
    if (namedFailure(error) === null) throw error;
    page.note(`Not settled: ${sentenceOf(error)}. Run standfast prepare ${input.cluster} ${input.primary}`);
    return undefined;
  }
}

export function refusalOf({ explains, remedy, changed }: Extract<Fenced, { kind: 'refused' }>) {
  const tail = changed ? '' : '. Nothing was changed';
  return failure('Unsafe', `${explains}${tail}. What you can do: ${remedy}`, { changed });
}
