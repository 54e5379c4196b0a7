import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Lab } from '../../lab/lab.ts';
import { mark } from '../../lab/processes.ts';

function leftovers(name: string): readonly string[] {
  const namespaces = existsSync('/run/netns')
    ? readdirSync('/run/netns').filter((entry) => entry.startsWith(`${name}-`))
    : [];
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`/.lab/${name}/`));
  return [...namespaces, ...mounts];
}

it('removes what it made, also when its state was lost, and leaves another lab alone', async () => {
  const [lab, other] = [
    await Lab.up({ name: 't-gone', hosts: ['db1'], withHelper: false }),
    await Lab.up({ name: 't-gone-not', hosts: ['db1'], withHelper: false }),
  ];
  const init = lab.host('db1').processes('lab-init');
  expect(init).toHaveLength(1);
  rmSync(path.join(lab.folder, 'state.json'));
  rmSync(path.join(lab.folder, 'run', 'db1'));

  await Lab.remove('t-gone');

  expect(leftovers('t-gone').filter((one) => !one.includes('t-gone-not'))).toEqual([]);
  expect(existsSync(lab.folder)).toBe(false);
  expect(mark(init[0] ?? 0)).toBeUndefined();
  expect(other.host('db1').isOn()).toBe(true);
  await other.down();
  await other.down();
  expect(leftovers('t-gone')).toEqual([]);
}, 60_000);

it('names what it cannot make', async () => {
  await expect(Lab.up({ name: 'Bad Name' })).rejects.toThrow('cannot name a lab');
  await expect(Lab.up({ name: 't-x', hosts: ['app'] })).rejects.toThrow('hosts of a lab are named db1');
  await expect(Lab.up({ name: 't-x', folder: '/tmp/with:colon' })).rejects.toThrow('cannot live in /tmp/with:colon');
});
