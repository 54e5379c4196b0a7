import { activityInfo } from '@temporalio/activity';
import { expect, test, vi } from 'vitest';
import { attemptIsOurs } from '../../worker/attempts.ts';
import { failover } from '../../workflows/failover.ts';
import { TASK_QUEUE, useRig } from '../workflows/rig.ts';

const rig = useRig();

test('an attempt that fell silent learns that another one has the work, and that the run is over', async () => {
  const ours: Record<string, boolean> = {};
  let latest = 0;
  let letFirstEnd: () => void = () => undefined;
  const firstMayEnd = new Promise<void>((resolve) => {
    letFirstEnd = resolve;
  });
  const fenceAndDrain = async () => {
    const { attempt } = activityInfo();
    latest = attempt;
    if (attempt === 1) {
      ours['first, alone'] = await attemptIsOurs();
      // It beats no more, as a frozen worker.
      await vi.waitUntil(() => latest === 2, { timeout: 20_000 });
      ours['first, beside the second'] = await attemptIsOurs();
      await firstMayEnd;
      ours['first, after the end'] = await attemptIsOurs();
      latest = 0;
      return null;
    }
    await vi.waitUntil(() => 'first, beside the second' in ours, { timeout: 20_000 });
    ours['second'] = await attemptIsOurs();
    return { kind: 'refused', explains: 'a test', remedy: 'none', changed: false, timeline: [] };
  };
  const workers = [await rig().runActivities({ fenceAndDrain }), await rig().runWorkflows()];
  const handle = await rig().client.workflow.start(failover, {
    taskQueue: TASK_QUEUE,
    workflowId: 'operation/shop',
    args: [{ cluster: 'shop' }],
  });
  await expect(handle.result()).rejects.toThrow();
  letFirstEnd();
  await vi.waitUntil(() => latest === 0, { timeout: 20_000 });
  expect(ours).toEqual({
    'first, alone': true,
    'first, beside the second': false,
    second: true,
    'first, after the end': false,
  });
  await Promise.all(workers.map((worker) => worker.end()));
}, 60_000);
