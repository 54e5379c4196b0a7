import { expect, test } from 'vitest';
import type { FailoverResult } from '../../client/index.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';
import { keepPolicy } from './policy.ts';
import { useTemporal } from './temporal.ts';
import { useWatch } from './watching.ts';

const cluster = useCluster();
const temporal = useTemporal();
const watch = useWatch(temporal);
keepPolicy(cluster);

const ASKED = 'ActivityType = "observePrimary"';

test('a watcher and both replicas that lose the primary together start nothing while another site reaches it, and fail over when it does not', async () => {
  const { lab, restore, startObserver, startWatcher } = cluster();
  await restore('cluster');
  lab.configure({ automatic: true, cooldown: '1s', observers: ['bergen'] });
  await Promise.all([startObserver('bergen'), startWatcher('watcher')]);
  await watch.tells('db1 PrimaryServes');
  const asked = async () => (await temporal().activity.count(ASKED)).count;
  expect(await asked()).toBe(0);

  for (const other of ['control', 'db2', 'db3']) await lab.cut(other, 'db1');
  await watch.tells('db1 PrimaryReachedElsewhere');
  await until('the site to be asked again and again', async () => ((await asked()) > 5 ? true : undefined), 20_000);
  expect(await watch.failovers()).toEqual([]);
  expect(await watch.told()).not.toContain('db1 PrimaryHostDead');

  await lab.cut('app', 'db1');
  await watch.tells('db1 AttemptDone');
  const result = (await temporal().workflow.getHandle('operation/shop').result()) as FailoverResult;
  expect(result).toMatchObject({
    outcome: 'failed-over',
    oldPrimary: 'db1',
    decision: { diagnosis: { code: 'PrimaryHostDead' } },
  });
});
