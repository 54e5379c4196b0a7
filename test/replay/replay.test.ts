import type { HistoryAndWorkflowId } from '@temporalio/client';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

interface Saved {
  readonly workflowId: string;
  readonly history: { readonly events: readonly Event[] };
}
type Event = Readonly<Record<string, unknown>> & {
  readonly activityTaskScheduledEventAttributes?: Readonly<Record<string, unknown>>;
};

const folder = new URL('./histories/', import.meta.url);
const patches = new URL('./patches/', import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
const read = (name: string, of = folder): Saved =>
  JSON.parse(readFileSync(new URL(`${name}.json`, of), 'utf8')) as Saved;

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
});

/** Names of the faults that replaying a history with the workflows of today brings up. */
async function replay({ workflowId, history }: Saved): Promise<readonly string[]> {
  const one: HistoryAndWorkflowId = { workflowId, history: historyFromJSON(history) };
  const faults: string[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, [one]))
    if (error !== undefined) faults.push(`${error.constructor.name}: ${error.message}`);
  return faults;
}

/** The same history with one thing told differently. */
const changed = (saved: Saved, change: (events: readonly Event[]) => readonly Event[]): Saved => ({
  ...saved,
  history: { events: change(saved.history.events) },
});

describe('replay', () => {
  test('has a run of every runbook, also one that was undone and one that was started by hand', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        'preparePrimary-completed',
        'provisionReplica-completed',
        'provisionReplica-failed',
        'admitReplica-completed',
        'removeAcker-completed',
        'removeAcker-failed',
        'goAsync-completed',
        'goAsync-failed',
        'verifyReplication-completed',
        'verifyReplication-failed',
        'failover-completed',
        'failover-plan-completed',
        'failover-failed',
        'failover-by-hand-completed',
        'syncFiles-completed',
        'syncFiles-failed',
        'diffFiles-completed',
        'auditCluster-completed',
      ]),
    );
  });

  test.each(names)('runs of before go on under the workflows of today: %s', async (name) => {
    expect(await replay(read(name))).toEqual([]);
  });

  test.each(readdirSync(patches).map((file) => file.replace(/\.json$/, '')))(
    'a run of before a patch goes on in its own order: %s',
    async (name) => {
      expect(await replay(read(name, patches))).toEqual([]);
    },
  );

  test('names a step that is another one today', async () => {
    const renamed = changed(read('failover-completed'), (events) =>
      events.map((event) => {
        const attributes = event.activityTaskScheduledEventAttributes;
        const { name } = (attributes?.['activityType'] ?? {}) as { readonly name?: string };
        if (name !== 'fenceAndDrain') return event;
        return { ...event, activityTaskScheduledEventAttributes: { ...attributes, activityType: { name: 'promote' } } };
      }),
    );
    expect(await replay(renamed)).toEqual([expect.stringMatching(/^DeterminismViolationError: .*fenceAndDrain/)]);
  });

  test('names a step that is no longer there', async () => {
    const types = (events: readonly Event[]): readonly unknown[] => events.map((event) => event['eventType']);
    const shortened = changed(read('verifyReplication-completed'), (events) => {
      const last = types(events).lastIndexOf('EVENT_TYPE_ACTIVITY_TASK_SCHEDULED');
      const end = types(events).indexOf('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
      expect(last).toBeGreaterThan(0);
      expect(end).toBeGreaterThan(last);
      // The run ended where it asked for its last step.
      const ending = { ...events[end], eventId: events[last]?.['eventId'] };
      return [...events.slice(0, last), ending];
    });
    expect(await replay(shortened)).toEqual([expect.stringMatching(/^DeterminismViolationError: /)]);
  });
});
