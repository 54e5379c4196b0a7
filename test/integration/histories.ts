import type { WorkflowExecutionInfo } from '@temporalio/client';
import { Connection, WorkflowClient } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../lab/state.ts';

const FIXED_ADDRESS = /^(operation|provision|verify|watch|files|audit)\//;

const ENDINGS: Readonly<Record<string, string>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TERMINATED: 'terminated',
};

/** One kind of history: how the run was started, and how it ended, decide which commands it holds. */
function kindOf({ type, workflowId, status }: WorkflowExecutionInfo): string | null {
  const ended = ENDINGS[status.name as string];
  // A watch never ends by itself, and the others are not worth keeping when they were ended from outside.
  if (ended === undefined || (ended === 'terminated') !== (type === 'watchClusters')) return null;
  if (workflowId.startsWith('plan/')) return `${type}-plan-${ended}`;
  return `${type}-${FIXED_ADDRESS.test(workflowId) ? '' : 'by-hand-'}${ended}`;
}

/** Where a run was made: no command depends on it. */
const PLACE = ['stackTrace', 'identity'];

/** Everything of a history as text, but fields of the names in `leftOut`: payloads are bytes in it. */
export function textOf(value: unknown, leftOut: readonly string[] = []): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const wanted = Object.entries(value).filter(([name]) => !leftOut.includes(name));
  return wanted.map(([, inner]) => textOf(inner, leftOut)).join('\n');
}

function savedForm(workflowId: string, history: History): string {
  const form = { workflowId, history: JSON.parse(historyToJSON(history)) as unknown };
  return JSON.stringify(form, (name, value: unknown) => (PLACE.includes(name) ? undefined : value), 1);
}

/** Some failures quote the inventory with its path, which is another one on every machine. */
const namesThisMachine = ({ events }: History): boolean => textOf(events, PLACE).includes(projectFolder);

/** Keeps the longest history of every kind that the tests made, for the replay tests. What was kept before is dropped. */
export async function saveHistories(addresses: readonly string[], folder: string): Promise<void> {
  const connections = await Promise.all(addresses.map((address) => Connection.connect({ address })));
  const runs: (WorkflowExecutionInfo & { readonly client: WorkflowClient })[] = [];
  for (const connection of connections) {
    const client = new WorkflowClient({ connection });
    for await (const run of client.list()) runs.push({ ...run, client });
  }
  runs.sort((left, right) => right.historyLength - left.historyLength);
  const kept = new Map<string, string>();
  for (const run of runs) {
    const kind = kindOf(run);
    if (kind === null || kept.has(kind)) continue;
    const history = await run.client.getHandle(run.workflowId, run.runId).fetchHistory();
    if (!namesThisMachine(history)) kept.set(kind, savedForm(run.workflowId, history));
  }
  for (const connection of connections) await connection.close();
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.endsWith('.json')) rmSync(path.join(folder, name));
  for (const [kind, text] of kept) writeFileSync(path.join(folder, `${kind}.json`), `${text}\n`);
}
