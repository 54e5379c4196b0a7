import type { WorkflowExecutionInfo } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FIXED_ADDRESS = /^(operation|provision|verify)\//;

/** One kind of history: how the run was started, and how it ended, decide which commands it holds. */
function kindOf({ type, workflowId, status }: WorkflowExecutionInfo): string | null {
  const ended = { COMPLETED: 'completed', FAILED: 'failed' }[status.name as string];
  if (ended === undefined) return null;
  return `${type}-${FIXED_ADDRESS.test(workflowId) ? '' : 'by-hand-'}${ended}`;
}

/** Where a run was made is nobody's business in a repository, and no command depends on it. */
const withoutPlace = (key: string, value: unknown): unknown =>
  key === 'stackTrace' || key === 'identity' ? undefined : value;

/** Keeps the longest history of every kind that the tests made, for the replay tests. What was kept before is dropped. */
export async function saveHistories(address: string, folder: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const longest = new Map<string, WorkflowExecutionInfo>();
  for await (const run of client.workflow.list()) {
    const kind = kindOf(run);
    if (kind !== null && run.historyLength > (longest.get(kind)?.historyLength ?? 0)) longest.set(kind, run);
  }
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
  for (const [kind, { workflowId, runId }] of longest) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const saved = { workflowId, history: JSON.parse(historyToJSON(history)) as unknown };
    writeFileSync(path.join(folder, `${kind}.json`), `${JSON.stringify(saved, withoutPlace, 1)}\n`);
  }
  await connection.close();
}
