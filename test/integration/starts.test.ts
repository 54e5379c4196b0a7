import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { FailoverResult, ProvisionResult, VerifyResult } from '../../client/index.ts';
import { useCluster, useWorker } from './cluster.ts';
import { refusalOf } from './refusal.ts';
import { failureOf, startByHand, useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();

describe('a run started by hand, under any workflow ID', () => {
  test('verifies like one from the command line', async () => {
    const { client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const byHand = await startByHand(temporal(), 'verifyReplication', [{ cluster: 'shop' }]);
    const { verdict } = (await byHand.result()) as VerifyResult;
    const { verdict: ofClient } = await client.verify({ cluster: 'shop' });
    expect(verdict).toMatchObject({ state: 'ok', sentence: ofClient.sentence, findings: [] });
    expect(Object.keys(verdict)).toEqual(Object.keys(ofClient));
  });

  test('fails over as a child at the fixed address, which refuses a second one', async () => {
    const { lab, client, restoreWithWorker, startWorker } = cluster();
    const held = await restoreWithWorker('cluster', 'held', 'fenceAndDrain.claim:before');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const byHand = await startByHand(temporal(), 'failover', [{ cluster: 'shop' }]);
    await held.says(/^held at /m);
    await startWorker('second');
    const again = await startByHand(temporal(), 'failover', [{ cluster: 'shop' }]);
    const refused = await failureOf(again.result());
    expect(refused).toMatchObject({ type: 'Busy' });
    expect(refused.message).toContain('operation/shop');
    expect(await refusalOf(client.failover({ cluster: 'shop' }))).toMatchObject({ type: 'Busy', exitCode: 4 });
    await held.kill();
    const result = (await byHand.result()) as FailoverResult;
    expect(result).toMatchObject({ outcome: 'failed-over', oldPrimary: 'db1', loss: { lossless: true } });
    const { raw, type, parentExecution, status } = await temporal().workflow.getHandle('operation/shop').describe();
    expect({ type, status: status.name }).toEqual({ type: 'failover', status: 'COMPLETED' });
    expect(parentExecution?.workflowId).toBe(byHand.workflowId);
    expect(raw.workflowExecutionInfo?.searchAttributes?.indexedFields).toHaveProperty('StandfastCluster');
  });

  test('outlives the end of the run that a person typed', async () => {
    const { lab, restoreWithWorker, startWorker } = cluster();
    const held = await restoreWithWorker('cluster', 'held', 'fenceAndDrain.claim:before');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const byHand = await startByHand(temporal(), 'failover', [{ cluster: 'shop', reason: 'a closed tab' }]);
    await held.says(/^held at /m);
    await byHand.terminate('the person gave up');
    await startWorker('second');
    await held.kill();
    const operation = temporal().workflow.getHandle('operation/shop');
    expect(await operation.result()).toMatchObject({ outcome: 'failed-over', oldPrimary: 'db1' });
  });

  test('provisions at the address of the host', async () => {
    const { restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    const byHand = await startByHand(temporal(), 'provisionReplica', [{ cluster: 'shop', host: 'db3', from: 'db1' }]);
    const result = (await byHand.result()) as ProvisionResult;
    expect(result).toMatchObject({ outcome: 'admitted', host: 'db3', donor: 'db1' });
    const { parentExecution } = await temporal().workflow.getHandle('provision/shop/db3').describe();
    expect(parentExecution?.workflowId).toBe(byHand.workflowId);
  });
});

describe('an input that cannot be used', () => {
  useWorker(cluster);
  const EXAMPLE = { failover: '{"cluster":"shop"}', provisionReplica: '{"cluster":"shop","host":"db2"}' };

  test.each([
    [
      'failover',
      [],
      `failover was given nothing instead of an object; nothing was changed. Its input is one JSON object such as ${EXAMPLE.failover}`,
    ],
    ['failover', [null], 'failover was given null instead of an object'],
    [
      'failover',
      ['shop'],
      `failover was given a string instead of an object; nothing was changed. Its input is one JSON object such as ${EXAMPLE.failover}`,
    ],
    ['failover', [['shop']], 'failover was given a list instead of an object'],
    ['failover', [{}], 'failover needs "cluster"; nothing was changed'],
    ['failover', [{ cluster: 3 }], 'failover needs "cluster" as a text, not a number'],
    [
      'failover',
      [{ cluster: 'shop', to: 'db2' }],
      'failover does not know "to" (it takes cluster, candidate, reason, askWithin, dryRun)',
    ],
    [
      'failover',
      [{ cluster: 'Shop; DROP' }],
      'failover was given "Shop; DROP" as "cluster", which is not a name (small letters, digits, dashes)',
    ],
    ['failover', [{ cluster: 'shpo' }], 'has no cluster "shpo"; it has shop'],
    [
      'provisionReplica',
      [{ cluster: 'shop' }],
      `provisionReplica needs "host"; nothing was changed. Its input is one JSON object such as ${EXAMPLE.provisionReplica}`,
    ],
    ['provisionReplica', [{ cluster: 'shpo', host: 'db2' }], 'did you mean "shop"?'],
    ['verifyReplication', [{ cluster: 'shpo' }], 'did you mean "shop"?'],
    ['preparePrimary', [{ cluster: 'shop', host: 'db9' }], 'db9 is not a database host of shop (it has db1, db2, db3)'],
    ['admitReplica', [{ cluster: 'shop', host: 'db9' }], 'db9 is not a database host of shop (it has db1, db2, db3)'],
    ['admitReplica', [{ cluster: 'shop' }], 'admitReplica needs "host"'],
  ] satisfies readonly (readonly [string, readonly unknown[], string])[])(
    'ends a %s given %j with a sentence',
    async (type, args, sentence) => {
      const failure = await failureOf((await startByHand(temporal(), type, args)).result());
      expect(failure).toMatchObject({ type: 'BadInput', nonRetryable: true });
      expect(failure.message).toContain(sentence);
      expect(failure.message).toMatch(/nothing was changed/i);
    },
  );
});

describe('a broken inventory', () => {
  let mend: (() => void) | undefined;
  afterEach(() => {
    mend?.();
  });

  const epochs = () =>
    Promise.all(cluster().lab.hosts.map(async (host) => (await host.exec(['cat', '/var/lib/standfast/epoch'])).stdout));

  test.each([
    ['an unknown key', 'rank: 101', 'rang: 101', /:\d+:\d+: .*found the unknown key "rang".*did you mean "rank"/],
    ['a wrong value', 'routerId: 51', 'routerId: 900', /:\d+:\d+: .*routerId/],
    ['text that is no YAML', 'clusters:', 'clusters: [', /:\d+:\d+: not valid YAML/],
  ])(
    'with %s is told with its place; nothing is changed, and mended it works again',
    async (_what, good, bad, place) => {
      const { lab, client, restoreWithWorker } = cluster();
      await restoreWithWorker('cluster', 'only');
      const file = lab.etc('standfast.yaml');
      const text = readFileSync(file, 'utf8');
      const { mode } = statSync(file);
      mend = () => {
        writeFileSync(file, text, { mode });
      };
      expect(text).toContain(good);
      const before = await epochs();
      writeFileSync(file, text.replace(good, bad));
      for (const type of ['failover', 'verifyReplication']) {
        const failure = await failureOf((await startByHand(temporal(), type, [{ cluster: 'shop' }])).result());
        expect(failure.type).toBe('BadInput');
        expect(failure.message).toContain('standfast.yaml');
        expect(failure.message).toMatch(place);
        expect(failure.message).toContain('Nothing was changed');
      }
      const refusal = await refusalOf(client.provisionReplica({ cluster: 'shop', host: 'db2' }));
      expect(refusal).toMatchObject({ type: 'BadInput', exitCode: 3 });
      expect(await epochs()).toEqual(before);
      mend();
      expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
    },
  );
});
