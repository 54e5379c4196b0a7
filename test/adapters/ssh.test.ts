import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeValue, encodeValue, parseReply } from '../../adapters/helper-wire.ts';
import type { KnownHostEntry } from '../../adapters/known-hosts.ts';
import { parseKnownHosts } from '../../adapters/known-hosts.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import type { SshAccess } from '../../adapters/ssh.ts';
import { SshHelper } from '../../adapters/ssh.ts';
import type { TestSshd } from './sshd.ts';
import { freePort, startSshd } from './sshd.ts';

let sshd: TestSshd;
let helper: SshHelper;
const opened: SshHelper[] = [];
/** On a loaded machine an ssh daemon takes its time. */
const PATIENCE = { timeout: 30_000 };

function connect(changes: Partial<SshAccess> & { port?: number } = {}): SshHelper {
  const { port = sshd.port, ...access } = changes;
  const made = new SshHelper(
    { host: 'db1', address: '127.0.0.1', port },
    {
      user: 'root',
      privateKey: () => Promise.resolve(sshd.privateKey),
      knownHosts: () => Promise.resolve(parseKnownHosts(sshd.pinned)),
      command: sshd.command,
      // A helper takes its time to start on a loaded machine.
      connectTimeoutMs: 20_000,
      ...access,
    },
  );
  opened.push(made);
  return made;
}

/** The keys of sshd, as those of whoever listens at `port`. */
const pinnedAt = (port: number) => (): Promise<readonly KnownHostEntry[]> =>
  Promise.resolve(parseKnownHosts(sshd.pinned.replace(String(sshd.port), String(port))));

const failureOf = async (request: Promise<unknown>): Promise<AdapterFailure & { reason?: string }> =>
  await request.then(
    () => expect.fail('the request was expected to fail'),
    (error: unknown) => error as AdapterFailure,
  );

const started = (): string => (existsSync(sshd.file('started')) ? readFileSync(sshd.file('started'), 'utf8') : '');
const release = (): void => {
  writeFileSync(sshd.file('released'), '');
};

beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(async () => {
  await sshd.stop();
});
beforeEach(() => {
  for (const name of ['started', 'released', 'counted']) rmSync(sshd.file(name), { force: true });
  helper = connect();
});
afterEach(() => {
  release();
  for (const made of opened.splice(0)) made.close();
});

describe('a request', () => {
  test('is answered, over one process for one request after another', async () => {
    const first = await helper.request('pid');
    await expect(helper.request('echo', { a: '1', b: '' })).resolves.toEqual({ a: '1', b: '' });
    await expect(helper.request('pid')).resolves.toEqual(first);
  });

  test('carries any text that may travel, there and back', async () => {
    const text = fc.string({
      unit: fc.constantFrom('\t', '\n', '\r', '%', '%0A', '=', ' ', "'", '"', '\\', '$', 'æ', '🐬', 'a'),
    });
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        expect(await helper.request('echo', { value })).toEqual({ value });
      }),
    );
  });

  test('carries a value of a megabyte', async () => {
    const value = 'a line\n'.repeat(150_000);
    expect((await helper.request('echo', { value }))['value']).toBe(value);
  });

  test('is not sent when it holds a control character, or a key that is none', async () => {
    expect(await failureOf(helper.request('echo', { value: 'a\0b' }))).toMatchObject({
      type: 'BadInput',
      message: 'echo was not sent to db1: the argument value has a control character that cannot travel',
    });
    expect(await failureOf(helper.request('echo', { 'a=b': '' }))).toMatchObject({ type: 'BadInput' });
    expect(await failureOf(helper.request('echo\tx'))).toMatchObject({ type: 'BadInput' });
  });

  test('that is refused fails with the type and words of the helper, and the channel lives on', async () => {
    const before = await helper.request('pid');
    expect(await failureOf(helper.request('refuse'))).toMatchObject({
      type: 'Stale',
      host: 'db1',
      silence: null,
      message: 'db1 refused refuse: epoch 7 is older\tthan 8',
    });
    await expect(helper.request('pid')).resolves.toEqual(before);
  });

  test('is answered at once beside a slow one', async () => {
    const slow = helper.request('observe');
    await vi.waitUntil(() => started() === 'observe\n', PATIENCE);
    await expect(helper.request('echo', { a: 'quick' })).resolves.toEqual({ a: 'quick' });
    release();
    await expect(slow).resolves.toEqual({ late: 'yes' });
  });

  test('does not wait for the acknowledgement of the packet before (40 ms each)', async () => {
    await helper.request('pid');
    const took: number[] = [];
    for (let index = 0; index < 50; index += 1) {
      const before = performance.now();
      await helper.request('echo', { index: String(index) });
      took.push(performance.now() - before);
    }
    // On a busy machine some are late for another reason; most would wait for the 40 ms.
    expect(took.sort((left, right) => left - right)[30]).toBeLessThan(35);
  });

  test('of a hundred at once all get their own answers', async () => {
    const answers = Array.from({ length: 100 }, (_, index) => helper.request('echo', { index: String(index) }));
    expect((await Promise.all(answers)).map((answer) => Number(answer['index']))).toEqual([...answers.keys()]);
  });
});

describe('an answer that does not come', () => {
  test('of an order is Unverified, of a look Unreachable; the next request gets its own answer', async () => {
    await helper.request('pid');
    expect(await failureOf(helper.request('order', {}, { timeoutMs: 200 }))).toMatchObject({
      type: 'Unverified',
      silence: 'hung',
    });
    expect(await failureOf(helper.request('observe', {}, { timeoutMs: 300 }))).toMatchObject({
      type: 'Unreachable',
      silence: 'hung',
    });
    release();
    await expect(helper.request('echo', { a: '2' })).resolves.toEqual({ a: '2' });
  });

  test('leaves other requests under way alone', async () => {
    const slow = helper.request('observe');
    await vi.waitUntil(() => started() === 'observe\n', PATIENCE);
    expect(await failureOf(helper.request('order', {}, { timeoutMs: 200 }))).toMatchObject({ silence: 'hung' });
    release();
    await expect(slow).resolves.toEqual({ late: 'yes' });
  });

  test('is not waited for after a cancellation, whose reason is passed on', async () => {
    const controller = new AbortController();
    const reason = new Error('the runbook was cancelled');
    const request = helper.request('order', {}, { signal: controller.signal });
    await vi.waitUntil(() => started() === 'order\n', PATIENCE);
    controller.abort(reason);
    await expect(request).rejects.toBe(reason);
    await expect(helper.request('echo', {}, { signal: controller.signal })).rejects.toBe(reason);
    release();
    await expect(helper.request('echo', { a: '3' })).resolves.toEqual({ a: '3' });
  });

  test('because the helper died is Unverified for an order, and the next request starts another', async () => {
    expect(await failureOf(helper.request('service-stop'))).toMatchObject({
      type: 'Unverified',
      silence: 'lost',
      reason: 'closed',
      message: expect.stringContaining(
        'status 3, no answer to service-stop, which may have been carried out',
      ) as string,
    });
    await expect(helper.request('echo', { a: '4' })).resolves.toEqual({ a: '4' });
  });

  test('because the connection was killed is noticed at once: a look goes over a new one, an order does not', async () => {
    const killed = async (verb: string) => {
      const { parent = '' } = await helper.request('pid');
      const request = helper.request(verb).catch((error: unknown) => error);
      await vi.waitUntil(() => started() === `${verb}\n`, PATIENCE);
      process.kill(Number(parent), 'SIGKILL');
      return request;
    };
    expect(await killed('order')).toMatchObject({ type: 'Unverified', silence: 'lost', reason: 'closed' });
    rmSync(sshd.file('started'));
    const look = killed('observe');
    await vi.waitUntil(() => started() === 'observe\nobserve\n', PATIENCE);
    release();
    expect(await look).toEqual({ late: 'yes' });
  });

  test('because the helper dies of the request again is not asked for a third time', async () => {
    await helper.request('pid');
    expect(await failureOf(helper.request('records'))).toMatchObject({ type: 'Unreachable', reason: 'closed' });
    expect(readFileSync(sshd.file('counted'), 'utf8')).toBe('xx');
  });

  test('because sshd is frozen ends with the deadline', async () => {
    const { parent = '' } = await helper.request('pid');
    process.kill(Number(parent), 'SIGSTOP');
    try {
      expect(await failureOf(helper.request('observe', {}, { timeoutMs: 300 }))).toMatchObject({ silence: 'hung' });
      await expect(helper.request('echo', { a: '6' })).resolves.toEqual({ a: '6' });
    } finally {
      process.kill(Number(parent), 'SIGKILL');
    }
  });

  test.each(['babble', 'other', 'strange'])('but nonsense (%s) ends the channel', async (verb) => {
    expect(await failureOf(helper.request(verb))).toMatchObject({
      type: 'Unverified',
      reason: 'protocol',
      silence: 'lost',
    });
    await expect(helper.request('echo', { a: '7' })).resolves.toEqual({ a: '7' });
  });
});

describe('a host that cannot be reached', () => {
  test('because nothing listens there', async () => {
    const port = await freePort();
    const knownHosts = pinnedAt(port);
    expect(await failureOf(connect({ port, knownHosts }).request('hello'))).toMatchObject({
      type: 'Unreachable',
      reason: 'refused',
      silence: 'refused',
      message: `db1 (127.0.0.1:${String(port)}) refuses SSH connections; start sshd there, or check sshPort`,
    });
  });

  test('because it accepts and says nothing', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await vi.waitUntil(() => mute.listening, PATIENCE);
    const { port } = mute.address() as { port: number };
    const knownHosts = pinnedAt(port);
    const impatient = connect({ port, knownHosts, connectTimeoutMs: 200 });
    expect(await failureOf(impatient.request('hello'))).toMatchObject({ type: 'Unreachable', reason: 'hung' });
    const patient = connect({ port, knownHosts });
    expect(await failureOf(patient.request('hello', {}, { timeoutMs: 200 }))).toMatchObject({ reason: 'hung' });
    mute.close();
  });

  test('because no key of it is pinned, though it listens', async () => {
    const unknown = connect({ knownHosts: () => Promise.resolve([]) });
    expect(await failureOf(unknown.request('count'))).toMatchObject({
      type: 'Unreachable',
      reason: 'unpinned',
      silence: 'denied',
      message: `db1 (127.0.0.1:${String(sshd.port)}) has no key that is pinned in access.ssh.knownHosts of the inventory, so nothing was sent to it; pin its key: ssh-keyscan -t ed25519 -p PORT ADDRESS, compare with what the host itself shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and add it to that file`,
    });
  });

  test.each([
    ['another key is pinned', (pinned: string, other: string): string => pinned.replace(/ssh-ed25519 \S+/, other)],
    [
      'its key is revoked',
      (pinned: string, other: string): string => `${pinned.replace(/ssh-ed25519 \S+/, other)}@revoked ${pinned}`,
    ],
  ])('because %s: it gets no request', async (why, change) => {
    rmSync(sshd.file('other'), { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', sshd.file('other')]);
    const other = readFileSync(sshd.file('other.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    const deceived = connect({ knownHosts: () => Promise.resolve(parseKnownHosts(change(sshd.pinned, other))) });
    expect(await failureOf(deceived.request('count'))).toMatchObject({
      type: 'Unreachable',
      reason: 'host-key',
      silence: 'denied',
      message: expect.stringContaining(why) as string,
    });
    expect(existsSync(sshd.file('counted'))).toBe(false);
  });

  test('because it does not know our key', async () => {
    const stranger = connect({ privateKey: () => Promise.resolve(readFileSync(sshd.file('host_key'), 'utf8')) });
    expect(await failureOf(stranger.request('hello'))).toMatchObject({ reason: 'authentication', silence: 'denied' });
  });

  test.each([
    ['there is none', '/nowhere/standfast-host serve', /status 127: .*No such file/],
    ['sudo refuses', 'sh -c "echo sudo: a password is required >&2; exit 1"', /status 1: sudo: a password is required/],
    [
      'another protocol',
      `sh -c "read id verb; printf '1\\tok\\tprotocol=2\\n'; cat"`,
      /it speaks protocol 2, this side 1/,
    ],
  ])('because %s of the helper', async (_why, command, message) => {
    const failure = await failureOf(connect({ command }).request('count'));
    expect(failure).toMatchObject({ type: 'Unreachable', reason: 'not-installed', silence: 'denied' });
    expect(failure.message).toMatch(message);
  });

  test('because our own key is none, or the pins cannot be had', async () => {
    const keyless = connect({ privateKey: () => Promise.resolve('hunter2') });
    const failure = await failureOf(keyless.request('hello'));
    expect(failure).toMatchObject({
      type: 'BadInput',
      message: expect.stringContaining('cannot be used for db1') as string,
    });
    expect(failure.message).not.toContain('hunter2');
    const unreadable = new AdapterFailure({ type: 'BadInput', host: 'db1', message: 'mend access.ssh.knownHosts' });
    const pinless = connect({ knownHosts: () => Promise.reject(unreadable) });
    expect(await failureOf(pinless.request('hello'))).toBe(unreadable);
  });

  test('is asked again by the next request, with the key and the pins of then', async () => {
    let pinned = '';
    const late = connect({ knownHosts: () => Promise.resolve(parseKnownHosts(pinned)) });
    expect(await failureOf(late.request('hello'))).toMatchObject({ reason: 'unpinned' });
    ({ pinned } = sshd);
    await expect(late.request('echo', { a: '8' })).resolves.toEqual({ a: '8' });
  });
});

test('after close() requests under way fail, and a later one connects again', async () => {
  const request = failureOf(helper.request('order'));
  await vi.waitUntil(() => started() === 'order\n', PATIENCE);
  helper.close();
  expect(await request).toMatchObject({ type: 'Unverified', reason: 'closed' });
  release();
  await expect(helper.request('echo', { a: '9' })).resolves.toEqual({ a: '9' });
});

test('whatever is encoded is decoded, and holds no separator', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.constantFrom('\t', '\n', '\r', '%', '%25')),
      (text, extra) => {
        const value = text + extra.join('') + text;
        expect(decodeValue(encodeValue(value))).toBe(value);
        expect(encodeValue(value)).not.toMatch(/[\t\n\r]/);
      },
    ),
  );
});

test.each(['', '1', '1\tok\tnovalue', '1\tyes', '1\tfail\tStale', '1\tfail\tBusy\tx', 'Last login: today'])(
  'the line %j is no answer',
  (line) => {
    expect(parseReply(line)).toEqual({ kind: 'garbled' });
  },
);
