import { CancellationScope, CancelledFailure, isCancellation, log } from '@temporalio/workflow';
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/common';
import type { Undone } from '../activities/contract.ts';
import { isFailureType } from '../domain/failure.ts';
import { failureFrom } from './failures.ts';

interface Committed {
  /** What stands when the run cannot go on. */
  readonly fact: string;
  readonly undos: readonly (() => Promise<Undone>)[];
}

/** Undos in the order in which they were pushed; each is pushed before its step and is safe when nothing happened. */
export class UndoStack {
  readonly #undos: (() => Promise<Undone>)[] = [];
  #committed: Committed | null = null;

  push(undo: () => Promise<Undone>): void {
    this.#undos.push(undo);
  }

  /** Nothing was changed, or everything is done: there is nothing to undo. */
  forget(): void {
    this.#undos.length = 0;
  }

  /** From here on the run only goes forward. `fact` is what stands when it cannot. */
  commit(fact: string): void {
    this.#committed = { fact, undos: this.#undos.splice(0) };
  }

  /** What it went forward to never came about: what was done before can be undone again. */
  takeBack(): void {
    this.#undos.unshift(...(this.#committed?.undos ?? []));
    this.#committed = null;
  }

  /** Runs them in reverse, also in a cancelled run, and says what was and what was not undone. */
  async unwind(): Promise<Undone> {
    const undone: string[] = [];
    const notUndone: string[] = this.#committed === null ? [] : [this.#committed.fact];
    await CancellationScope.nonCancellable(async () => {
      for (const undo of this.#undos.splice(0).reverse()) {
        try {
          const done = await undo();
          undone.push(...done.undone);
          notUndone.push(...done.notUndone);
        } catch (error) {
          log.error('an undo failed', { error });
          notUndone.push(sentenceOf(error));
        }
      }
    });
    return { undone, notUndone };
  }
}

/** The last moment for a cancellation: one that arrived together with the result of the step before has cancelled nothing yet. */
export function heedCancellation(): void {
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('cancelled before the point of no return');
}

const isWrapper = (error: unknown): error is ActivityFailure | ChildWorkflowFailure =>
  error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;

/** The innermost failure that is one of ours; the wrappers around it only say "Activity task failed", or that time was up after it. */
export function namedFailure(error: unknown): ApplicationFailure | null {
  if (error instanceof ApplicationFailure && isFailureType(error.type)) return error;
  return isWrapper(error) || error instanceof TimeoutFailure ? namedFailure(error.cause) : null;
}

export const factsOf = (error: unknown): Partial<Undone> & { readonly lost?: string; readonly changed?: boolean } => {
  const facts: unknown = namedFailure(error)?.details?.[0];
  return typeof facts === 'object' && facts !== null ? facts : {};
};

export const sentenceOf = (error: unknown): string => {
  const named = namedFailure(error);
  if (named !== null) return named.message;
  const cause = isWrapper(error) ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
};

/** Also when the worker died before its activity could hear of it: Temporal then ends the activity with a timeout. */
const isCancelled = (error: unknown): boolean =>
  isCancellation(error) ||
  (isWrapper(error) && namedFailure(error) === null && CancellationScope.current().consideredCancelled);

/**
 * Runs a runbook; when it fails, undoes, and ends with one failure that keeps the reason and lists what was and was not undone.
 * A run that was cancelled ends as cancelled after the same undo, unless something stands: only a failure can say what.
 */
export async function compensated<R>(what: string, body: (undo: UndoStack) => Promise<R>): Promise<R> {
  const undo = new UndoStack();
  try {
    return await body(undo);
  } catch (error) {
    const facts = await undo.unwind();
    const cancelled = isCancelled(error);
    if (cancelled && facts.notUndone.length === 0) throw new CancelledFailure(`${what} was cancelled`);
    const named = namedFailure(error);
    if (named === null && !cancelled && !isWrapper(error)) throw error; // a bug: the task is retried until it is mended
    const changed = facts.undone.length + facts.notUndone.length > 0;
    const tail = changed
      ? ` Undone: ${facts.undone.join('; ') || 'nothing'}.${facts.notUndone.length > 0 ? ` NOT undone: ${facts.notUndone.join('; ')}.` : ''}`
      : '';
    const reason = cancelled ? 'it was cancelled' : sentenceOf(error).replace(/\.$/, '');
    throw failureFrom(error instanceof Error ? error : undefined, {
      type: named !== null && isFailureType(named.type) ? named.type : 'Unverified',
      message: `${what} stopped: ${reason}.${tail}`,
      facts: { ...(named?.details?.[0] as object | undefined), changed, ...facts },
    });
  }
}
