import type { RunningOperation } from './errors.ts';

export const describeOperation = (operation: RunningOperation): string =>
  `running: ${operation.type} as ${operation.workflowId} (run ${operation.runId}, since ${operation.since})`;
