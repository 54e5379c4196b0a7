import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Standfast } from '../../client/index.ts';
import { nextRun } from './poller.ts';
import { TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
let standfast: Standfast;
let client: Client;
let connection: Connection;

beforeAll(async () => {
  temporal = await TestTemporal.start();
  standfast = await Standfast.connect({ address: temporal.address, taskQueue: 'queue' });
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection });
});

afterAll(async () => {
  await standfast.close();
  await connection.close();
  await temporal.stop();
});

test('makes a schedule that verifies the cluster every minute, skips overlaps, and makes up for a minute at most', async () => {
  const applied = await standfast.ensureVerifySchedule('shop');
  expect(applied).toMatchObject({
    scheduleId: 'standfast-verify-shop',
    created: true,
    everySeconds: 60,
    paused: false,
  });
  expect(Date.parse(applied.nextRunAt ?? '')).not.toBeNaN();
  const { action, policies, spec } = await client.schedule.getHandle('standfast-verify-shop').describe();
  expect(spec.intervals).toMatchObject([{ every: 60_000 }]);
  expect(policies).toMatchObject({ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 60_000 });
  expect(action).toMatchObject({ workflowType: 'verifyReplication', taskQueue: 'queue', args: [{ cluster: 'shop' }] });
});

test('applied again, it is brought up to date, and stays paused when a person paused it', async () => {
  await standfast.ensureVerifySchedule('store');
  const handle = client.schedule.getHandle('standfast-verify-store');
  await handle.update((previous) => ({ ...previous, spec: { intervals: [{ every: '1h' }] } }));
  await handle.pause('moving the racks');
  const again = await standfast.ensureVerifySchedule('store');
  expect(again).toMatchObject({
    created: false,
    everySeconds: 60,
    paused: true,
    note: 'moving the racks',
    nextRunAt: null,
  });
});

test('starts verifyReplication for the cluster when it fires', async () => {
  await standfast.ensureVerifySchedule('mart');
  await client.schedule.getHandle('standfast-verify-mart').trigger();
  const task = await nextRun(connection, 'queue');
  expect(task.workflowType?.name).toBe('verifyReplication');
  expect(task.workflowExecution?.workflowId).toMatch(/^verify\/mart\/scheduled/);
});

test('lists the schedules of every cluster, or of one', async () => {
  await standfast.ensureVerifySchedule('depot');
  await expect
    .poll(async () => (await standfast.listVerifySchedules()).map((entry) => entry.cluster))
    .toContain('depot');
  expect(await standfast.listVerifySchedules('depot')).toHaveLength(1);
  expect(await standfast.listVerifySchedules('nobody')).toEqual([]);
});
