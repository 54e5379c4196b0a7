import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as load from '../../inventory/load.ts';
import { InventorySource } from '../../worker/inventory-source.ts';
import { EXAMPLE } from '../inventory/example.ts';

vi.mock('../../inventory/load.ts', { spy: true });

let folder: string;
let file: string;
let source: InventorySource;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'standfast-source-'));
  file = path.join(folder, 'standfast.yaml');
  writeFileSync(file, EXAMPLE);
  source = new InventorySource(file);
  vi.mocked(load.parseInventory).mockClear();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const parsed = (): number => vi.mocked(load.parseInventory).mock.calls.length;
const BROKEN = `${EXAMPLE}\nsurplus: 1\n`;
const faultOf = (): Promise<unknown> =>
  source.shard('main').then(
    () => null,
    (error: unknown) => (error as Error).cause,
  );

describe('one version of the file', () => {
  it('is read once for all who ask at the same time, and later', async () => {
    const [one, other] = await Promise.all([source.current(), source.current()]);
    expect(other).toBe(one);
    expect(await source.current()).toBe(one);
    expect(parsed()).toBe(1);
  });

  it('that is broken is read once too, and each is told the same fault', async () => {
    writeFileSync(file, BROKEN);
    const [one, other] = await Promise.all([faultOf(), faultOf()]);
    expect(one).toBeInstanceOf(Error);
    expect(other).toBe(one);
    expect(await faultOf()).toBe(one);
    expect(parsed()).toBe(1);
    writeFileSync(file, EXAMPLE);
    expect((await source.current()).clusters.length).toBeGreaterThan(0);
  });
});

describe('another version of the file', () => {
  const keepingTime = (change: () => void): void => {
    const { atime, mtime } = statSync(file);
    utimesSync(file, atime, mtime);
    change();
    utimesSync(file, atime, mtime);
  };

  it.each([
    [
      'written over',
      () => {
        writeFileSync(file, EXAMPLE.replace('shop', 'shoq'));
      },
    ],
    [
      'put in its place',
      () => {
        writeFileSync(`${file}.new`, EXAMPLE.replace('shop', 'shoq'));
        renameSync(`${file}.new`, file);
      },
    ],
  ])('is seen though its time of change is that of the one before: %s', async (_, change) => {
    keepingTime(() => undefined);
    const before = await source.current();
    keepingTime(change);
    expect(await source.current()).not.toBe(before);
    expect(await source.current()).toMatchObject({ clusters: [{ name: 'shoq' }] });
  });
});

it('a file that could not be read is read again, though it is the same one', async () => {
  const reading = vi.mocked(load.readInventory).mockRejectedValueOnce(new Error('EMFILE: too many open files'));
  expect(await faultOf()).toMatchObject({ message: 'EMFILE: too many open files' });
  expect(await source.current()).toMatchObject({ path: file });
  reading.mockReset();
});

it('a file that is away is looked for again and again', async () => {
  rmSync(file);
  await expect(source.current()).rejects.toThrow('ENOENT');
  writeFileSync(file, EXAMPLE);
  expect(await source.current()).toMatchObject({ path: file });
});
