import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCells } from '../../chaos/matrix/cells.ts';
import { sit } from '../../chaos/matrix/sitting.ts';
import { Theatre } from '../../chaos/theatre.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';

const cluster = useCluster();
let theatre: Theatre | undefined;

beforeAll(async () => {
  const { lab, client } = cluster();
  theatre = await Theatre.on({ lab, client, temporal: TemporalServer.attach(lab) });
});
afterAll(async () => {
  await theatre?.close();
});

/** Plays these cells of the matrix in one run, and expects every one to pass. */
async function expectPassed(...ids: readonly string[]): Promise<void> {
  const cells = allCells().filter((cell) => ids.includes(cell.id));
  expect(cells.map((cell) => cell.id).sort()).toEqual([...ids].sort());
  const [first] = cells;
  if (first === undefined || theatre === undefined) throw new Error('there is nothing to play');
  const outcomes = await sit(theatre, { scenario: first.scenario, cells });
  expect(outcomes.map(({ cell, broken }) => ({ cell, broken }))).toEqual(
    cells.map((cell) => ({ cell: cell.id, broken: [] })),
  );
}

describe('a failover loses nothing and has one writer', () => {
  test('when a worker dies between the fence and its report, and another one after the opening', async () => {
    await expectPassed('failover fenceAndDrain.fence:after worker', 'failover promoteAndRoute.open:after worker');
  });

  test('when Temporal dies while the winner drains, and a worker at the point of no return', async () => {
    await expectPassed('failover fenceAndDrain.drain:before temporal', 'failover promoteAndRoute.record:before worker');
  });

  test('when a worker dies with the VIP half moved, and Temporal after that was reported', async () => {
    await expectPassed('failover promoteAndRoute.vip:after worker', 'failover settleCluster:reported temporal');
  });

  test('when it is cancelled and a worker dies in the middle of the undo', async () => {
    await expectPassed('failover-undone undoFence.open:before worker');
  });
});

describe('provisioning ends with an admitted replica, or with two clean hosts', () => {
  test('when workers die in it, and Temporal in its admission', async () => {
    await expectPassed(
      'provision installSnapshot:before worker',
      'provision startReplica:after worker',
      'provision admitReplica.record:after temporal',
    );
  });

  test('when it is cancelled and a worker dies in the undo', async () => {
    await expectPassed('provision-undone cleanTransfer:after worker');
  });

  test('when its admission is cancelled and a worker dies in the undo: what is proven stays', async () => {
    await expectPassed('admission-undone undoAdmission:before worker');
  });
});
