import type { Progress } from './progress.ts';

/** One line per thing that happened, for standard error. */
export function renderProgress(progress: Progress): string {
  switch (progress.kind) {
    case 'started':
      return progress.attached
        ? `attached to ${progress.run.workflowId}, run ${progress.run.runId}`
        : `started ${progress.run.workflowId}, run ${progress.run.runId}`;
    case 'phase':
      return progress.phase;
    case 'retried':
      return `${progress.step}: attempt ${String(progress.attempt)}${progress.why === '' ? '' : ` (before: ${progress.why})`}`;
    case 'waiting':
      return progress.explains;
  }
}
