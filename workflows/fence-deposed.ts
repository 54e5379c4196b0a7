import { deposedId } from '../domain/addresses.ts';
import { parseFenceDeposed } from '../domain/inputs.ts';
import type { FenceDeposedResult } from '../domain/report.ts';
import { accept, atAddress, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { patient } from './steps.ts';

/**
 * Waits for as long as it takes until a deposed primary answers again, and shuts it off. A failover starts it when it could deprive the old primary of its
 * ackers, but not reach it: nothing that it says then is acknowledged, and here is who closes it.
 */
export async function fenceDeposed(input: unknown): Promise<FenceDeposedResult> {
  const order = accept(parseFenceDeposed(input));
  const { cluster, host } = order;
  label('fenceDeposed', cluster);
  return atAddress(deposedId(cluster, host), order, async () => {
    const page = new RunPage(`Shut off ${host} of ${cluster} as soon as it answers`, ['wait and fence']);
    page.enter('wait and fence');
    const fence = await patient(`fence ${host} when it answers`).fenceDeposed(order);
    page.end(fence.kind, fence.kind === 'fenced' ? `bring ${host} back: standfast rejoin ${cluster} ${host}` : null);
    return {
      outcome: fence.kind,
      cluster,
      host,
      sentence: fence.kind === 'fenced' ? `${host} is shut off: ${fence.proof}` : fence.why,
    };
  });
}
