import { randomUUID } from 'node:crypto';
import type { WorkflowExecutionInfo, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import type { RunningOperation, RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';
import type { Runbook } from './runbooks.ts';
import { operationId } from '../domain/addresses.ts';

export interface StartedRun extends RunReference {
  /** True when a run of the same `requestId` was there already. */
  readonly attached: boolean;
}

export interface StartRequest<Input extends { readonly cluster: string }, Result> {
  readonly runbook: Runbook<Input, Result>;
  readonly input: unknown;
  readonly requestId: string | undefined;
}

const REQUEST_MEMO = 'standfastRequest';
/** How far back a repeated request is looked for among the runs at one address. */
const REMEMBERED_RUNS = 200;

/** The input as its runbook takes it, checked before anything is asked of Temporal. */
export function checkedInput<Input extends { readonly cluster: string }, Result>(
  runbook: Runbook<Input, Result>,
  input: unknown,
): Input {
  const parsed = runbook.parse(input);
  if (parsed.kind === 'ok') return parsed.value;
  throw new StandfastError({ type: 'BadInput', message: parsed.message, facts: { changed: false, about: 'argument' } });
}

/** Starts the runbook at its address, or finds the run that the same request started before. */
export async function startRun<Input extends { readonly cluster: string }, Result>(
  link: Link,
  request: StartRequest<Input, Result>,
): Promise<StartedRun> {
  const { runbook, requestId } = request;
  const input = checkedInput(runbook, request.input);
  const nonce = requestId ?? randomUUID();
  const mark = `${runbook.type} ${nonce}`;
  const order: Order = {
    type: runbook.type,
    workflowId: runbook.workflowId(input, nonce),
    mark,
    options: {
      taskQueue: link.config.taskQueue,
      args: [input],
      workflowTaskTimeout: '1s',
      staticSummary: runbook.summary(input),
      memo: { [REQUEST_MEMO]: mark },
    },
  };
  const earlier = requestId === undefined ? null : await runOfRequest(link, order);
  return earlier === null ? startOrder(link, order) : { ...earlier, attached: true };
}

interface Order {
  readonly type: string;
  readonly workflowId: string;
  /** Tells this request from any other, also when an answer to it was lost. */
  readonly mark: string;
  readonly options: Omit<WorkflowStartOptions, 'workflowId'>;
}

async function startOrder(link: Link, order: Order): Promise<StartedRun> {
  const { type, workflowId, mark, options } = order;
  let isFirstTry = true;
  const runId = await ask(link, async () => {
    const lost = isFirstTry ? null : await latestRunNow(link, workflowId);
    isFirstTry = false;
    if (lost?.memo?.[REQUEST_MEMO] === mark) return lost.runId;
    return link.client.workflow
      .start(type, { ...options, workflowId })
      .then((handle) => handle.firstExecutionRunId, nullWhenTaken);
  });
  return runId === null ? settleTaken(link, order) : { type, workflowId, runId, attached: false };
}

function nullWhenTaken(error: unknown): null {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
  throw error;
}

/** The address is taken: by our own request, sent twice at once, or by another operation. */
async function settleTaken(link: Link, { type, workflowId, mark }: Order): Promise<StartedRun> {
  const holder = await latestRun(link, workflowId);
  if (holder?.memo?.[REQUEST_MEMO] === mark) return { ...referenceOf(holder), attached: true };
  const running = holder === null ? undefined : operationOf(holder);
  throw new StandfastError({
    type: 'Busy',
    message: `${type} was not started: ${describeHolder(workflowId, running)}. Nothing was changed; try again when it has ended`,
    facts: { changed: false },
    runningOperation: running,
  });
}

const describeHolder = (workflowId: string, running: RunningOperation | undefined): string =>
  running === undefined
    ? `another run held ${workflowId} a moment ago`
    : `${running.type} holds ${workflowId} (run ${running.runId}, since ${running.since})`;

/** Visibility may be a second behind, so the newest run is asked for by itself first. */
async function runOfRequest(link: Link, { workflowId, mark }: Order): Promise<RunReference | null> {
  const latest = await latestRun(link, workflowId);
  if (latest?.memo?.[REQUEST_MEMO] === mark) return referenceOf(latest);
  if (latest === null) return null;
  return ask(link, async () => {
    let looked = 0;
    for await (const info of link.client.workflow.list({ query: `WorkflowId = "${quoted(workflowId)}"` })) {
      if (info.memo?.[REQUEST_MEMO] === mark) return referenceOf(info);
      looked += 1;
      if (looked >= REMEMBERED_RUNS) break;
    }
    return null;
  });
}

const quoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');

type RunInfo = Pick<WorkflowExecutionInfo, 'type' | 'workflowId' | 'runId' | 'startTime' | 'memo' | 'status'>;

async function latestRun(link: Link, workflowId: string): Promise<RunInfo | null> {
  return ask(link, () => latestRunNow(link, workflowId));
}

const latestRunNow = (link: Link, workflowId: string): Promise<RunInfo | null> =>
  link.client.workflow.getHandle(workflowId).describe().catch(nullWhenMissing);

function nullWhenMissing(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}

const referenceOf = (info: RunInfo): RunReference => ({
  type: info.type,
  workflowId: info.workflowId,
  runId: info.runId,
});

const operationOf = (info: RunInfo): RunningOperation => ({
  ...referenceOf(info),
  since: info.startTime.toISOString(),
});

/** The operation that holds the cluster now, if one does. */
export async function runningOperation(link: Link, cluster: string): Promise<RunningOperation | null> {
  const latest = await latestRun(link, operationId(cluster));
  return latest?.status.name === 'RUNNING' ? operationOf(latest) : null;
}
