import { describe, expect, test } from 'vitest';
import type { AdmitResult, GoAsyncResult, RemoveAckerResult } from '../../client/index.ts';
import { plain } from '../../client/paint.ts';
import { renderAckersLeft, renderAdmit } from '../../client/render-ackers.ts';
import type { StandfastApi } from '../../client/standfast.ts';
import { run } from './cli-world.ts';

const common = { cluster: 'shop', epoch: { number: 7, run: 'r' }, timeline: [] } as const;
const admitted: AdmitResult = { ...common, outcome: 'admitted', host: 'db3', mode: 'lossless', ackers: ['db2', 'db3'] };
const removed: RemoveAckerResult = {
  ...common,
  outcome: 'removed',
  host: 'db3',
  primary: 'db1',
  mode: 'lossless',
  ackers: ['db2'],
  refused: ['db3 (silent)'],
  sentence: 'db3 acknowledges no writes of db1 any more (lossless with db2)',
};
const alone: GoAsyncResult = {
  ...common,
  outcome: 'async',
  primary: 'db1',
  refused: [],
  sentence: 'db1 waits for no acknowledgement any more (async)',
};

function answering(call: keyof StandfastApi, answer: unknown) {
  const asked: unknown[] = [];
  const method = (input: unknown) => {
    asked.push(input);
    return Promise.resolve(answer);
  };
  return { asked, api: { [call]: method } as unknown as Partial<StandfastApi> };
}

describe('acker add', () => {
  test('passes what was asked for, and needs no confirmation', async () => {
    const { api, asked } = answering('admitReplica', admitted);
    const said = await run('acker add shop db3', { api });
    expect(said).toMatchObject({ exitCode: 0, out: renderAdmit(admitted, plain), err: 'make db3 an acker of shop' });
    expect(said.out).toContain('ackers:   db2, db3');
    expect(asked).toEqual([{ cluster: 'shop', host: 'db3' }]);
  });
});

describe('acker remove and acker none', () => {
  test('pass what was asked for', async () => {
    const remove = answering('removeAcker', removed);
    const text = await run('acker remove shop db3 --reason disk --confirm shop', remove);
    expect(text).toMatchObject({ exitCode: 0, out: renderAckersLeft(removed, plain) });
    expect(text.out).toContain('lossless (epoch 7)');
    expect(remove.asked).toEqual([{ cluster: 'shop', host: 'db3', reason: 'disk' }]);
    const none = answering('goAsync', alone);
    const json = await run('acker none shop --yes -o json', none);
    expect(JSON.parse(json.out)).toEqual({ schema: 'standfast/v1', kind: 'GoAsync', ...alone });
    expect(none.asked).toEqual([{ cluster: 'shop' }]);
    expect((await run('acker none shop --yes', none)).out).toContain('ackers:   none');
  });

  test.each([
    ['acker remove shop db3', 'db3 will no longer keep writes of shop from being lost'],
    ['acker none shop', 'from now on the loss of the primary of shop can lose acknowledged writes'],
  ])('%s says what it means, and starts nothing until a person has named the cluster', async (line, danger) => {
    const refused = await run(line);
    expect(refused).toMatchObject({ exitCode: 2, out: '' });
    expect(refused.err).toContain(`${danger}: it needs --confirm shop`);
    expect(refused.err).toContain('nothing was started');
    const mistyped = await run(line, { typed: 'shp' });
    expect(mistyped.exitCode).toBe(2);
    const { api, asked } = answering(line.startsWith('acker none') ? 'goAsync' : 'removeAcker', removed);
    expect(await run(line, { typed: 'shop', api })).toMatchObject({ exitCode: 0 });
    expect(asked).toHaveLength(1);
  });

  test('refuse a host that is no name before anybody is asked', async () => {
    const said = await run('acker remove shop DB_3 --yes');
    expect(said.exitCode).toBe(2);
    expect(said.err).toContain('removeAcker was given "DB_3" as "host"');
  });
});
