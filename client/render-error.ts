import type { StandfastError } from './errors.ts';
import { aftermathOf, listOf } from './errors.ts';
import type { Paint } from './paint.ts';
import { describeOperation } from './render-operation.ts';

/** What, then the consequence for the hosts, then the next thing to type. */
export function renderError(error: StandfastError, paint: Paint): string {
  const { runningOperation } = error;
  return [
    `${paint.bad(`error (${error.type})`)}: ${error.message}`,
    ...consequence(error).map((line) => `  ${line}`),
    ...(runningOperation === undefined || error.message.includes(runningOperation.runId)
      ? []
      : [`  ${describeOperation(runningOperation)}`]),
  ].join('\n');
}

function consequence({ facts, message }: StandfastError): readonly string[] {
  const undone = listOf(facts, 'undone');
  const notUndone = listOf(facts, 'notUndone');
  const after = aftermathOf(facts);
  return [
    // Some messages say it themselves.
    ...(after === 'unchanged' && !/nothing was (changed|started)/i.test(message) ? ['nothing was changed'] : []),
    ...unlessSaid(message, 'undone', undone),
    ...unlessSaid(message, 'NOT undone', notUndone),
    ...(after === 'person-needed' ? ['a person is needed: look at the hosts before anything else is started'] : []),
  ];
}

const unlessSaid = (message: string, head: string, list: readonly string[]): readonly string[] =>
  list.length === 0 || message.includes(list.join('; ')) ? [] : [`${head}: ${list.join('; ')}`];

export const errorAsJson = (error: StandfastError): Readonly<Record<string, unknown>> => ({
  type: error.type,
  message: error.message,
  exitCode: error.exitCode,
  facts: error.facts,
  ...(error.run !== undefined && { run: error.run }),
  ...(error.runningOperation !== undefined && { runningOperation: error.runningOperation }),
});
