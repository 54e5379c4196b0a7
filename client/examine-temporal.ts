import type { Check } from '../domain/checkup.ts';
import { fine, notAsked, wrong } from '../domain/checkup.ts';
import { makesAttributes, makesNamespace, missingAttributes, taskQueues } from '../domain/addresses.ts';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import type { StandfastError } from './errors.ts';
import type { WantedWatch } from './examine-watch.ts';
import { examineWatches } from './examine-watch.ts';
import { grpcCode } from './failures.ts';
import { planFor } from './schedule-changes.ts';
import type { WantedSchedule } from './schedule-plan.ts';

const TEMPORAL = 'Temporal';
/** A worker asks again every minute at the latest; one that was killed stays listed for longer. */
const STILL_POLLS_MS = 90_000;
const WORKFLOW_TASKS = 1; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
const ACTIVITY_TASKS = 2;

export interface TemporalQuestion {
  /** Null: there is no inventory to say. */
  readonly wanted: readonly WantedSchedule[] | null;
  readonly cluster: string | undefined;
  readonly watches: readonly WantedWatch[];
  /** Sites that a cluster expects to look at its primary as well. */
  readonly observers: readonly string[];
}

/** What comes after the connection, in the order in which it has to be mended. */
export async function examineTemporal(link: Link, question: TemporalQuestion): Promise<readonly Check[]> {
  const reached = fine(place('temporal'), `it answers at ${link.config.address}`);
  const namespace = await examineNamespace(link);
  if (namespace.state === 'bad')
    return [reached, namespace, ...temporalNotAsked('the namespace is not there', 'namespace')];
  const queues = taskQueues(link.config.taskQueue);
  const [attributes, workers, watchers, schedules] = await Promise.all([
    examineAttributes(link),
    Promise.all([
      ...[queues.runbooks, queues.failover, queues.watch].map((queue) => examineQueue(link, queue, ANY_WORKER)),
      ...question.observers.map((site) => examineQueue(link, queues.observe(site), observerOf(site))),
    ]),
    examineWatches(link, question.watches),
    examineSchedules(link, question),
  ]);
  return [reached, namespace, attributes, ...workers, ...watchers, ...schedules];
}

const CODES = ['temporal', 'namespace', 'search-attributes', 'worker', 'watch', 'schedule'] as const;

const place = (code: (typeof CODES)[number]) => ({ code, where: TEMPORAL });

/** @param after  the last one that was asked */
export const temporalNotAsked = (why: string, after: (typeof CODES)[number]): readonly Check[] =>
  CODES.slice(CODES.indexOf(after) + 1).map((code) => notAsked(place(code), why));

/** Temporal, or what is needed to ask it, is not there. */
export const temporalUnreached = (error: StandfastError): readonly Check[] => [
  wrong(
    place('temporal'),
    error.message,
    error.type === 'Configuration'
      ? 'mend TEMPORAL_* or the profile that it names'
      : 'start Temporal, or set TEMPORAL_ADDRESS to where it is',
  ),
  ...temporalNotAsked('Temporal was not reached', 'temporal'),
];

async function examineNamespace(link: Link): Promise<Check> {
  const { namespace, address } = link.config;
  const { workflowService } = link.connection;
  const isThere = await ask(link, () =>
    workflowService.describeNamespace({ namespace }).then(() => true, falseWhen(NOT_FOUND)),
  );
  if (isThere) return fine(place('namespace'), `the namespace ${namespace} is there`);
  return wrong(
    place('namespace'),
    `Temporal at ${address} has no namespace "${namespace}"`,
    `set TEMPORAL_NAMESPACE, or make it: ${makesNamespace(namespace)}`,
  );
}

/** Of google.rpc.Code. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

const falseWhen =
  (code: number) =>
  (error: unknown): false => {
    if (grpcCode(error) === code) return false;
    throw error;
  };

async function examineAttributes(link: Link): Promise<Check> {
  const { namespace } = link.config;
  const { workflowService } = link.connection;
  const missing = await missingAttributes((query) =>
    ask(link, () =>
      workflowService.countWorkflowExecutions({ namespace, query }).then(() => true, falseWhen(INVALID_ARGUMENT)),
    ),
  );
  if (missing.length === 0) return fine(place('search-attributes'), `the search attributes are there`);
  return wrong(
    place('search-attributes'),
    `the namespace lacks the search attributes ${missing.join(', ')}`,
    `standfast worker start, which makes them; or ${makesAttributes(namespace, missing)}`,
  );
}

interface WantedWorker {
  readonly polls: readonly number[];
  readonly fix: string;
}

const ANY_WORKER: WantedWorker = {
  polls: [WORKFLOW_TASKS, ACTIVITY_TASKS],
  fix: 'standfast worker start, on a machine that is none of the hosts',
};

const observerOf = (site: string): WantedWorker => ({
  polls: [ACTIVITY_TASKS],
  fix: `standfast worker start --role observe --site ${site}, at that site`,
});

async function examineQueue(link: Link, queue: string, { polls, fix }: WantedWorker): Promise<Check> {
  const describe = (taskQueueType: number) =>
    ask(link, () =>
      link.connection.workflowService.describeTaskQueue({
        namespace: link.config.namespace,
        taskQueue: { name: queue },
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the package of the enum is not a dependency of ours
        taskQueueType,
      }),
    );
  const answers = await Promise.all(polls.map(describe));
  const pollers = answers.map((answer) =>
    answer.pollers.filter(({ lastAccessTime }) => Date.now() - msOf(lastAccessTime) < STILL_POLLS_MS),
  );
  const names = [...new Set(pollers.flat().map(({ identity }) => identity ?? ''))].sort();
  if (pollers.every((some) => some.length > 0))
    return fine(place('worker'), `${names.join(', ')} polls the queue ${queue}`);
  return wrong(place('worker'), `nobody polls the queue ${queue}`, fix);
}

type Pollers = Awaited<ReturnType<Link['connection']['workflowService']['describeTaskQueue']>>['pollers'];

const msOf = (time: Pollers[number]['lastAccessTime']): number => Number(time?.seconds?.toString() ?? 0) * 1000;

async function examineSchedules(link: Link, { wanted, cluster }: TemporalQuestion): Promise<readonly Check[]> {
  if (wanted === null) return [notAsked(place('schedule'), 'the inventory was not read')];
  const changes = await planFor(link, { wanted, cluster });
  const fix = `standfast schedule apply${cluster === undefined ? '' : ` ${cluster}`}`;
  return changes.map(({ action, scheduleId, why }) => {
    if (action === 'keep') return fine(place('schedule'), `${scheduleId}: ${why}`);
    const says = {
      create: `${scheduleId} is missing`,
      update: `${scheduleId} differs: ${why}`,
      delete: `${scheduleId} is left over: ${why}`,
      refuse: `${scheduleId}: ${why}`,
    }[action];
    return wrong(
      place('schedule'),
      says,
      action === 'refuse' ? `look at it: temporal schedule describe --schedule-id ${scheduleId}` : fix,
    );
  });
}
