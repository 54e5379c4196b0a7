import { defaultPayloadConverter } from '@temporalio/client';
import type { Connection } from '@temporalio/client';

/** How a run ends, without a workflow: the test answers its first task by itself. */
export type Ending =
  | { readonly result: unknown }
  | { readonly failure: { readonly type: string; readonly message: string; readonly details: unknown } };

// `COMMAND_TYPE_…` of the API.
const COMPLETE_RUN = 4;
const FAIL_RUN = 5;

const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });

/** The next workflow task of the queue, as a worker gets it. */
export const nextRun = (connection: Connection, taskQueue: string) =>
  connection.withDeadline(Date.now() + 30_000, () =>
    connection.workflowService.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: taskQueue },
      identity: 'test',
    }),
  );

/** Takes the next workflow task of the queue, or the next one of that workflow type, and ends its run. */
export async function endNextRun(
  connection: Connection,
  taskQueue: string,
  { of, ...ending }: Ending & { readonly of?: string },
): Promise<void> {
  const { workflowService } = connection;
  let task = await nextRun(connection, taskQueue);
  while (of !== undefined && task.workflowType?.name !== of) task = await nextRun(connection, taskQueue);
  await workflowService.respondWorkflowTaskCompleted({
    taskToken: task.taskToken,
    namespace: 'default',
    identity: 'test',
    commands: [
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the package of the enum is not a dependency of ours
      'result' in ending
        ? { commandType: COMPLETE_RUN, completeWorkflowExecutionCommandAttributes: { result: payloads(ending.result) } }
        : { commandType: FAIL_RUN, failWorkflowExecutionCommandAttributes: { failure: failureOf(ending.failure) } },
    ],
  });
}

function failureOf({ type, message, details }: { type: string; message: string; details: unknown }) {
  const named = {
    message,
    applicationFailureInfo: { type, nonRetryable: true, details: payloads(details) },
  };
  // As it comes from a step: the outer failure only says that an activity failed.
  return {
    message: 'Activity task failed',
    activityFailureInfo: { activityId: '1', activityType: { name: 'aStep' } },
    cause: named,
  };
}
