import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DiscoveryOrder } from '../../inventory/draft.ts';
import { EXAMPLE } from '../inventory/example.ts';
import { run } from './cli-world.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'standfast-init-'));
  file = path.join(folder, 'standfast.yaml');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const marked = EXAMPLE.replace('sites:', 'sites: # TODO: where they stand');

function discovering(text: string | Error) {
  const orders: DiscoveryOrder[] = [];
  const discover = (order: DiscoveryOrder): Promise<string> => {
    orders.push(order);
    return text instanceof Error ? Promise.reject(text) : Promise.resolve(text);
  };
  return { orders, scene: { discover } };
}

test('writes what was found, for its owner alone, and lists where a person has to look', async () => {
  const { orders, scene } = discovering(marked);
  const ran = await run(`init --from 10.0.0.1 --to ${file} --ssh-user root --ssh-port 2222 --cluster shop`, scene);
  expect(ran).toMatchObject({ exitCode: 0, err: 'init from 10.0.0.1' });
  expect(ran.out.split('\n')).toEqual([
    `${file} is written: db1, db2`,
    '',
    '1 place where it could not know:',
    '',
    '  LINE  TODO',
    '  1     where they stand',
    '',
    `next: look at these, then STANDFAST_CONFIG=${file} standfast doctor`,
  ]);
  expect(await readFile(file, 'utf8')).toBe(marked);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(orders).toEqual([{ from: '10.0.0.1', cluster: 'shop', sshUser: 'root', sshPort: 2222 }]);
});

test('in JSON says the same', async () => {
  const { scene } = discovering(marked);
  const { out } = await run(`init --from 10.0.0.1 --to ${file} -o json`, scene);
  expect(JSON.parse(out)).toEqual({
    schema: 'standfast/v1',
    kind: 'Init',
    path: file,
    hosts: ['db1', 'db2'],
    marks: [{ line: 1, what: 'where they stand' }],
  });
});

test('a file that is there is left alone, and nobody is asked', async () => {
  await writeFile(file, 'mine');
  const { orders, scene } = discovering(marked);
  const ran = await run(`init --from 10.0.0.1 --to ${file}`, scene);
  expect([ran.exitCode, ran.out, orders]).toEqual([2, '', []]);
  expect(ran.err).toContain('is there already; nothing was written');
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('a place that cannot be written is wrong usage', async () => {
  const { scene } = discovering(marked);
  const ran = await run(`init --from 10.0.0.1 --to ${folder}/no/where.yaml`, scene);
  expect(ran.exitCode).toBe(2);
  expect(ran.err).toContain(
    `cannot be written (ENOENT); nothing was written. Make its folder first (mkdir -p ${folder}/no), or name`,
  );
});

test('a host that is not reached leaves nothing behind', async () => {
  const { scene } = discovering(Object.assign(new Error('db1 cannot be reached by ssh'), { name: 'PlainSshError' }));
  const ran = await run(`init --from db1 --to ${file}`, scene);
  expect(ran).toMatchObject({ exitCode: 1, out: '' });
  expect(ran.err).toContain('error (Unreachable): nothing was written: db1 cannot be reached by ssh');
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each(['init', 'init --from db1 --ssh-port 0', 'init --from db1 --cluster Shop!', 'init --from db1 --detach'])(
  '%s is wrong usage',
  async (line) => {
    const { orders, scene } = discovering(marked);
    expect((await run(line, scene)).exitCode).toBe(2);
    expect(orders).toEqual([]);
  },
);
