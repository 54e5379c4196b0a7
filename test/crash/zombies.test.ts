import { expect, test } from 'vitest';
import { haunt } from '../../chaos/zombies/haunting.ts';
import { SCENARIOS } from '../../chaos/scenarios.ts';
import { Theatre } from '../../chaos/theatre.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';

const cluster = useCluster();

test('a worker that was frozen in front of its claim changes nothing when it thaws after the end of the run', async () => {
  const { lab, client } = cluster();
  const theatre = await Theatre.on({ lab, client, temporal: TemporalServer.attach(lab) });
  const point = 'openPrimary.claim:before';
  const { scenario, incident } = haunt({
    id: '',
    scenario: SCENARIOS.prepare,
    activity: 'openPrimary',
    point,
    afterMs: null,
  });
  const { reached, broken } = await theatre.play(scenario, [incident]);
  expect({ reached, broken }).toEqual({ reached: [point], broken: [] });
  await theatre.close();
});
