import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Secrets } from '../../worker/secrets.ts';

const USE = { place: 'access.sql.password', host: 'db1' };
let folder: string;
let store: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'standfast-kept-'));
  store = path.join(folder, 'store');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A store of secrets that notes each question before it answers. */
function storeThat(answer: string): string {
  writeFileSync(path.join(folder, 'asked'), '');
  writeFileSync(store, `#!/bin/sh\necho >>${folder}/asked\n${answer}\n`);
  chmodSync(store, 0o700);
  return `exec:${store}`;
}
const questions = () => readFileSync(path.join(folder, 'asked'), 'utf8').length;
const read = (secrets: Secrets, reference: string) => secrets.read(reference, USE);

/** As if so long had passed. */
function later(ms: number): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + ms);
}

test('is asked for once by all who need it together, and by whoever comes soon after', async () => {
  const [reference, secrets] = [storeThat('echo hunter2'), new Secrets(() => undefined)];
  await expect(Promise.all([1, 2, 3].map(() => read(secrets, reference)))).resolves.toEqual(Array(3).fill('hunter2'));
  await expect(read(secrets, reference)).resolves.toBe('hunter2');
  expect(questions()).toBe(1);
});

test('that was changed in its store is used soon, and nobody waits for it', async () => {
  const [reference, secrets] = [storeThat('echo old'), new Secrets(() => undefined)];
  await read(secrets, reference);
  storeThat('echo new');
  later(11_000);
  await expect(read(secrets, reference)).resolves.toBe('old');
  await vi.waitFor(async () => {
    expect(await read(secrets, reference)).toBe('new');
  });
  expect(questions()).toBe(1);
});

test('that is old is asked for first, for a moment', async () => {
  const [reference, secrets] = [storeThat('echo old'), new Secrets(() => undefined)];
  await read(secrets, reference);
  storeThat('echo new');
  later(61_000);
  await expect(Promise.all([read(secrets, reference), read(secrets, reference)])).resolves.toEqual(['new', 'new']);
  storeThat('sleep 5; echo newer');
  later(140_000);
  await expect(read(secrets, reference)).resolves.toBe('new');
});

test('is still there when its store is not, which is said without the secret', async () => {
  const faults: string[] = [];
  const [reference, secrets] = [storeThat('echo hunter2'), new Secrets((why) => faults.push(why))];
  await read(secrets, reference);
  storeThat('exit 3');
  later(11_000);
  await expect(read(secrets, reference)).resolves.toBe('hunter2');
  await vi.waitFor(() => {
    expect(faults).toHaveLength(1);
  });
  expect(faults[0]).toContain(`the secret ${reference} cannot be read: the command ended with 3`);
  expect(faults[0]).not.toContain('hunter2');
  await expect(read(secrets, reference)).resolves.toBe('hunter2');
});

test('that never could be read is a fault with its place, and is asked for again', async () => {
  const [reference, secrets] = [storeThat('exit 3'), new Secrets(() => undefined)];
  await expect(read(secrets, reference)).rejects.toMatchObject({
    type: 'BadInput',
    message: expect.stringContaining('access.sql.password of the inventory cannot be used') as string,
  });
  storeThat('echo hunter2');
  await expect(read(secrets, reference)).resolves.toBe('hunter2');
});

test('of a file is read each time', async () => {
  const [file, secrets] = [path.join(folder, 'password'), new Secrets(() => undefined)];
  for (const password of ['one', 'two']) {
    writeFileSync(file, password, { mode: 0o600 });
    await expect(read(secrets, `file:${file}`)).resolves.toBe(password);
  }
});
