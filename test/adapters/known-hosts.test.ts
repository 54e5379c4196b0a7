import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeHostKey, linesFor, nameAtPort, parseKnownHosts, pinnedKeyTypes } from '../../adapters/known-hosts.ts';

let folder: string;
const keys = { one: '', two: '', rsa: '' };

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'standfast-known-hosts-'));
  for (const [name, type] of [
    ['one', 'ed25519'],
    ['two', 'ed25519'],
    ['rsa', 'rsa'],
  ] as const) {
    const file = path.join(folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'a comment', '-f', file]);
    keys[name] = readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const blob = (key: string): Buffer => Buffer.from(key.split(' ')[1] ?? '', 'base64');
const judge = (text: string, host: string, { port = 22, key = keys.one } = {}): string =>
  judgeHostKey(parseKnownHosts(text), { host, port, key: blob(key) });

/** What OpenSSH itself finds for a name in a file with this text. */
function findsOpenSsh(text: string, name: string): boolean {
  const file = path.join(folder, 'asked');
  writeFileSync(file, text);
  return spawnSync('ssh-keygen', ['-F', name, '-f', file]).status === 0;
}

/** The text with its names hashed by OpenSSH. */
function hashed(text: string): string {
  const file = path.join(folder, 'hashed');
  writeFileSync(file, text);
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
}

describe('a host key', () => {
  test('matches the pinned one', () => {
    expect(judge(`10.0.0.1 ${keys.one}\n`, '10.0.0.1')).toBe('match');
  });

  test('is a mismatch when the host has another, also of another type', () => {
    expect(judge(`10.0.0.1 ${keys.two}\n`, '10.0.0.1')).toBe('mismatch');
    expect(judge(`10.0.0.1 ${keys.rsa}\n`, '10.0.0.1')).toBe('mismatch');
  });

  test('is unknown when nobody pinned one', () => {
    expect(judge(`10.0.0.2 ${keys.one}\n`, '10.0.0.1')).toBe('unknown');
    expect(judge('', '10.0.0.1')).toBe('unknown');
  });

  test('is revoked when any line says so, though another pins it', () => {
    const text = `10.0.0.1 ${keys.one}\n@revoked * ${keys.one}\n`;
    expect(judge(text, '10.0.0.1')).toBe('revoked');
    expect(linesFor(parseKnownHosts(text), '10.0.0.1', 22)).toEqual([]);
  });

  test('is found under hashed names, with and without a port', () => {
    const text = hashed(`10.0.0.1 ${keys.one}\n[10.0.0.1]:2222 ${keys.two}\n`);
    expect(text).toMatch(/^\|1\|/);
    expect(judge(text, '10.0.0.1')).toBe('match');
    expect(judge(text, '10.0.0.1', { port: 2222 })).toBe('mismatch');
    expect(judge(text, '10.0.0.1', { port: 2222, key: keys.two })).toBe('match');
    expect(judge(text, '10.0.0.1', { port: 2223 })).toBe('unknown');
  });

  test('is found among several lines, comments, blank lines and trailing comments', () => {
    const text = `# pinned by hand\n\ndb1,10.0.0.1 ${keys.rsa} root@db1\r\n  db1,10.0.0.1 ${keys.one} root@db1\n`;
    expect(judge(text, 'DB1')).toBe('match');
    expect(pinnedKeyTypes(parseKnownHosts(text), '10.0.0.1', 22)).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(linesFor(parseKnownHosts(text), '10.0.0.1', 22)).toEqual([`10.0.0.1 ${keys.rsa}`, `10.0.0.1 ${keys.one}`]);
  });
});

describe('a file is refused', () => {
  test.each([
    [
      '@cert-authority * ssh-ed25519 AAAA',
      'line 1 of known_hosts: found @cert-authority; host certificates are not supported',
    ],
    ['@trusted * ssh-ed25519 AAAA', 'line 1 of known_hosts: found the marker @trusted, allowed: @revoked'],
    ['\n10.0.0.1 ssh-ed25519', 'line 2 of known_hosts: expected host names, a key type and a key'],
    ['10.0.0.1 ssh-ed25519 AAAA', 'line 1 of known_hosts: the key is not one of the type ssh-ed25519'],
  ])('for %j', (text, reason) => {
    expect(() => parseKnownHosts(text)).toThrow(reason);
  });
});

describe('the same hosts as OpenSSH', () => {
  test.each([
    ['*', 'db1'],
    ['10.0.0.*', '10.0.0.1'],
    ['10.0.0.?', '10.0.0.12'],
    ['db?', 'DB1'],
    ['*,!db1', 'db1'],
    ['!db1,*', 'db2'],
    ['!db1', 'db2'],
    ['[10.0.0.1]:2222', '[10.0.0.1]:2222'],
    ['10.0.0.1', '[10.0.0.1]:2222'],
    ['[10.0.0.*]:2222', '[10.0.0.9]:2222'],
    ['[*]:*', '[db1]:2222'],
    ['db1.example.com', 'db1xexample.com'],
    ['db1', 'db1.example.com'],
    ['a+b', 'a+b'],
  ])('are found by %s for %s', (names, asked) => {
    expect(judgeFound(names, asked)).toBe(findsOpenSsh(`${names} ${keys.one}\n`, asked));
  });

  test('are found for any list of patterns', () => {
    const part = fc.stringMatching(/^!?[ab*?]{1,3}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.stringMatching(/^[ab]{1,3}$/), (parts, asked) => {
        const names = parts.join(',');
        expect(judgeFound(names, asked)).toBe(findsOpenSsh(`${names} ${keys.one}\n`, asked));
      }),
      { numRuns: 150 },
    );
  });

  function judgeFound(names: string, asked: string): boolean {
    const [, host = asked, port = '22'] = /^\[(.*)\]:(\d+)$/.exec(asked) ?? [];
    expect(nameAtPort(host, Number(port))).toBe(asked);
    return judge(`${names} ${keys.one}\n`, host, { port: Number(port) }) === 'match';
  }
});
