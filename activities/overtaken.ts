import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';

/** A newer operation or attempt has taken over: whoever is told so does nothing more. */
export const isStale = (error: unknown): error is AdapterFailure & { readonly type: 'Stale' } =>
  error instanceof AdapterFailure && error.type === 'Stale';

/**
 * Works on all hosts at once, each to its end; one that fails does not keep the others from theirs.
 * @returns how each ended, in the order of `hosts`
 * @throws AdapterFailure `Stale` when any of them was told so
 */
export async function onEach<T>(
  hosts: readonly HostName[],
  work: (host: HostName) => Promise<T>,
): Promise<readonly PromiseSettledResult<T>[]> {
  const outcomes = await Promise.allSettled(hosts.map(work));
  const stale = outcomes.find((one) => one.status === 'rejected' && isStale(one.reason));
  if (stale?.status === 'rejected') throw stale.reason;
  return outcomes;
}
