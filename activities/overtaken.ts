import { AdapterFailure } from '../adapters/ports.ts';

/** A newer operation or attempt has taken over: whoever is told so does nothing more. */
export const isStale = (error: unknown): error is AdapterFailure & { readonly type: 'Stale' } =>
  error instanceof AdapterFailure && error.type === 'Stale';

/**
 * Works on all at once, hosts for the most part, each to its end; one that fails does not keep the others from theirs.
 * @returns how each ended, in the order of `items`
 * @throws AdapterFailure `Stale` when any of them was told so
 */
export async function onEach<I, T>(
  items: readonly I[],
  work: (item: I) => Promise<T>,
): Promise<readonly PromiseSettledResult<T>[]> {
  const outcomes = await Promise.allSettled(items.map(work));
  const stale = outcomes.find((one) => one.status === 'rejected' && isStale(one.reason));
  if (stale?.status === 'rejected') throw stale.reason;
  return outcomes;
}

/** Both to their end, so that nothing goes on behind a failure. @throws what the first one threw, or else the second */
export async function together<A, B>(first: Promise<A>, second: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
