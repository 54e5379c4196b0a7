import { expect, test } from 'vitest';
import { StandfastError } from '../../client/errors.ts';
import { temporalUnreached } from '../../client/examine-temporal.ts';
import type { TemporalQuestion } from '../../client/examine-temporal.ts';
import type { Check } from '../../domain/checkup.ts';
import { fine, notAsked, wrong } from '../../domain/checkup.ts';
import { clusterDigest } from '../../inventory/digest.ts';
import { parseInventory } from '../../inventory/load.ts';
import { changed } from '../inventory/example.ts';
import type { Scene } from './cli-world.ts';
import { run } from './cli-world.ts';

const inventory = parseInventory('standfast.yaml', changed('policy:', 'policy:\n      watch: { observers: [oslo-b] }'));
const ssh = fine({ code: 'ssh', where: 'db1' }, 'sshd answers');
const grants = ['SUPER', 'RELOAD'].map((name) => fine({ code: 'grant', where: 'db1' }, name));
const noSuper = wrong({ code: 'grant', where: 'db1' }, 'lacks SUPER', 'GRANT SUPER');
const temporal = fine({ code: 'temporal', where: 'Temporal' }, 'it answers');

function scene(local: readonly Check[], remote: readonly Check[] | Error = [temporal]) {
  const asked: TemporalQuestion[] = [];
  const examine = (question: TemporalQuestion) => {
    asked.push(question);
    return remote instanceof Error ? Promise.reject(remote) : Promise.resolve(remote);
  };
  const openHosts: Scene['openHosts'] = () =>
    Promise.resolve({
      inventory,
      observe: () => Promise.reject(new Error('the doctor observes nothing')),
      examine: () => Promise.resolve(local),
      close: () => undefined,
    });
  return { asked, scene: { api: { examine }, openHosts } };
}

test('all green is one sentence, the list, and 0', async () => {
  const { scene: green, asked } = scene([ssh, ...grants]);
  const { exitCode, out } = await run('doctor', green);
  expect(exitCode).toBe(0);
  expect(out.split('\n')).toEqual([
    'everything is there: 4 checks',
    '',
    'db1',
    '  ✓ ssh               sshd answers',
    '  ✓ grant             2 privileges are there',
    '',
    'Temporal',
    '  ✓ temporal          it answers',
  ]);
  const [shop] = inventory.clusters;
  const digest = shop === undefined ? '' : clusterDigest(shop, inventory.access);
  expect(asked).toMatchObject([
    { cluster: undefined, watches: [{ shard: 'main', cluster: 'shop', digest }], observers: ['oslo-b'] },
  ]);
  expect(asked[0]?.wanted?.map(({ scheduleId }) => scheduleId)).toContain('standfast-verify-shop');
});

test('a red line is followed by what mends it, and exits with 10; JSON has each check', async () => {
  const { scene: red } = scene([ssh, noSuper, ...grants, notAsked({ code: 'vip', where: 'db1' }, 'too old')]);
  const { exitCode, out } = await run('doctor shop', red);
  expect(exitCode).toBe(10);
  expect(out).toContain('1 of 6 checks failed, 1 could not be asked before that');
  expect(out).toContain('  ✗ grant             lacks SUPER\n                      fix: GRANT SUPER\n');
  expect(out).toContain('  ? vip               not asked: too old');
  const json = await run('doctor shop -o json', red);
  expect(json.exitCode).toBe(10);
  expect(JSON.parse(json.out)).toMatchObject({ kind: 'Doctor', cluster: 'shop', ok: 4, bad: 1, notAsked: 1 });
});

test('an inventory that does not load is a red line, and Temporal is asked all the same', async () => {
  const { scene: red, asked } = scene([]);
  const fault = Object.assign(new Error('standfast.yaml:3:5: unknown key'), { name: 'InventoryError' });
  const { exitCode, out } = await run('doctor', { ...red, openHosts: () => Promise.reject(fault) });
  expect(exitCode).toBe(10);
  expect(out).toContain('  ✗ inventory         no host was asked: standfast.yaml:3:5: unknown key\n');
  expect(out).toContain('every host\n  ? ssh               not asked: the inventory was not read');
  expect(out).toContain('  ✓ temporal          it answers');
  expect(asked).toEqual([{ wanted: null, cluster: undefined, watches: [], observers: [] }]);
});

test('Temporal that does not answer is a red line, and what it would have said is listed as not asked', async () => {
  const gone = new StandfastError({ type: 'TemporalUnreachable', message: 'Temporal does not answer at x' });
  const { scene: red } = scene([ssh], gone);
  const { exitCode, out } = await run('doctor', red);
  expect(exitCode).toBe(10);
  expect(out).toContain('  ✓ ssh               sshd answers');
  expect(out).toContain('  ✗ temporal          Temporal does not answer at x\n');
  expect(temporalUnreached(gone).map(({ code, state }) => `${code} ${state}`)).toEqual([
    'temporal bad',
    'namespace not-asked',
    'search-attributes not-asked',
    'worker not-asked',
    'watch not-asked',
    'schedule not-asked',
  ]);
});

test('of a cluster that is not there is wrong usage', async () => {
  const { scene: green, asked } = scene([ssh]);
  const ran = await run('doctor shpo', green);
  expect([ran.exitCode, ran.out, asked]).toEqual([2, '', []]);
  expect(ran.err).toContain('did you mean "shop"?');
});
