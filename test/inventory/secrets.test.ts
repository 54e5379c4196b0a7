import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { resolveSecret } from '../../inventory/secrets.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'standfast-secrets-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function file(name: string, content: string, mode = 0o600): string {
  const where = path.join(folder, name);
  writeFileSync(where, content);
  chmodSync(where, mode);
  return where;
}

describe('a secret', () => {
  test('comes from the environment', async () => {
    vi.stubEnv('STANDFAST_TEST_SECRET', 'pa ss');
    await expect(resolveSecret('env:STANDFAST_TEST_SECRET')).resolves.toBe('pa ss');
  });

  test('comes from the environment again and again, while programs that are started inherit it no more', async () => {
    vi.stubEnv('STANDFAST_TEST_TAKEN', 'hunter2');
    await expect(resolveSecret('env:STANDFAST_TEST_TAKEN')).resolves.toBe('hunter2');
    await expect(resolveSecret('env:STANDFAST_TEST_TAKEN')).resolves.toBe('hunter2');
    await expect(resolveSecret('exec:/usr/bin/env')).resolves.not.toContain('hunter2');
    vi.stubEnv('STANDFAST_TEST_TAKEN', 'another');
    await expect(resolveSecret('env:STANDFAST_TEST_TAKEN')).resolves.toBe('another');
  });

  test('comes from a private file, without its last line end only', async () => {
    await expect(resolveSecret(`file:${file('two-lines', 'first\nsecond\n')}`)).resolves.toBe('first\nsecond');
  });

  test('comes from a systemd credential', async () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', folder);
    file('sql', 'from systemd\n', 0o440);
    await expect(resolveSecret('credential:sql')).resolves.toBe('from systemd');
  });

  test('comes from a command, without a shell', async () => {
    await expect(resolveSecret('exec:/usr/bin/printf %s $HOME;id')).resolves.toBe('$HOME;id');
  });

  test('is asked for each time, so that a change needs no restart', async () => {
    const where = file('changing', 'old');
    await expect(resolveSecret(`file:${where}`)).resolves.toBe('old');
    writeFileSync(where, 'new');
    await expect(resolveSecret(`file:${where}`)).resolves.toBe('new');
  });
});

describe('a reference is refused', () => {
  test.each([0o640, 0o604, 0o620, 0o610])('when others have access to the file (mode %o)', async (mode) => {
    const where = file('open', 'hunter2', mode);
    await expect(resolveSecret(`file:${where}`)).rejects.toThrow(
      `the secret file:${where} cannot be read: its group or others have access to it (mode 0${mode.toString(8)}); run: chmod 600 ${where}`,
    );
  });

  test.each([
    ['env:STANDFAST_NOT_SET', 'the environment has no such variable'],
    ['file:/nowhere/secret', 'ENOENT; check the path'],
    ['file:/tmp', 'it is not a regular file'],
    ['exec:/bin/false', 'the command ended with 1'],
    ['exec:/nowhere/command', 'the command ended with ENOENT'],
    ['credential:none', 'CREDENTIALS_DIRECTORY is not set'],
  ])('when %s leads nowhere', async (reference, reason) => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', undefined);
    await expect(resolveSecret(reference)).rejects.toThrow(`the secret ${reference} cannot be read: ${reason}`);
  });

  test('when the secret is empty', async () => {
    await expect(resolveSecret(`file:${file('empty', '\n')}`)).rejects.toThrow('it is empty');
  });

  test('when it is no reference, without repeating what may be the secret', async () => {
    const attempt = resolveSecret('hunter2');
    await expect(attempt).rejects.toThrow('expected env:, file:, credential: or exec:');
    await expect(attempt).rejects.not.toThrow('hunter2');
  });
});
