import type { WorkflowHandle } from '@temporalio/client';
import type { Transition } from '../domain/watch.ts';

/** What the run that watches was told, oldest first: its history keeps all of it. */
export async function transitionsOf(run: WorkflowHandle): Promise<readonly Transition[]> {
  const { events } = await run.fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const data = signal?.input?.payloads?.[0]?.data;
    return data === undefined || data === null ? [] : (JSON.parse(new TextDecoder().decode(data)) as Transition[]);
  });
}
