import { getClient } from '@temporalio/activity';
import type { ProofPort } from '../adapters/ports.ts';
import { promotionsOf, runsOf } from '../domain/addresses.ts';

/** What earlier runs proved, over the connection of the worker that asks. A verification that ended with a bad verdict has failed, and proves nothing. */
export const createProofs = (): ProofPort => ({
  lastProof: async (cluster) => ({
    verifiedAt: await lastEnd(`${runsOf('verifyReplication', cluster)} AND ExecutionStatus = "Completed"`),
    failedOverAt: await lastEnd(promotionsOf(cluster)),
  }),
});

/** One page is more than runs at once, and the newest come first. */
const PAGE = 20;

async function lastEnd(query: string): Promise<string | null> {
  let last: Date | null = null;
  let listed = 0;
  for await (const { closeTime } of getClient().workflow.list({ query, pageSize: PAGE })) {
    if (closeTime !== undefined && (last === null || closeTime > last)) last = closeTime;
    listed += 1;
    if (listed === PAGE) break;
  }
  return last?.toISOString() ?? null;
}
