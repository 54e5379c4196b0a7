import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdapterFailure } from '../../adapters/ports.ts';
import { openSession } from '../../adapters/sql.ts';
import type { Behaviour, ServerSession } from './mysql-server.ts';
import { MysqlServer } from './mysql-server.ts';

const servers: MysqlServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

const target = (port: number) => ({ host: 'db1', address: '127.0.0.1', port, user: 'standfast', password: 'secret' });

async function open(behaviour: Behaviour) {
  const server = await MysqlServer.start(behaviour);
  servers.push(server);
  return openSession(target(server.port));
}

const failureOf = (work: Promise<unknown>): Promise<AdapterFailure> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as AdapterFailure,
  );

describe('a statement that exceeds its deadline', () => {
  it('is killed from a side session and seen gone before the failure is reported', async () => {
    const heard: string[] = [];
    let looks = 0;
    const says = (session: ServerSession, statement: string): void => {
      heard.push(`${String(session.id)} ${statement.replace(/ FROM .*/, '')}`);
      if (statement.startsWith('UPDATE')) return; // it runs on and on
      if (!statement.startsWith('SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ')) session.ok();
      else {
        looks += 1;
        session.rows(looks < 3 ? [{ 1: 1 }] : []); // a killed session needs a moment to roll back
      }
    };
    const session = await open({ says });
    expect(await failureOf(session.rows('UPDATE t SET i = 1', [], { timeoutMs: 50 }))).toMatchObject({
      type: 'Unreachable',
      silence: 'silent',
      message: expect.stringContaining('the statement was killed'),
    });
    expect(heard).toEqual([
      '1 UPDATE t SET i = 1',
      '2 KILL HARD CONNECTION 1',
      ...['2 SELECT 1', '2 SELECT 1', '2 SELECT 1'],
    ]);
  });

  it('fails in words of ours also when the server dies while it is killed', async () => {
    const session = await open({
      says: (side, statement) => {
        if (!statement.startsWith('UPDATE')) side.cut();
      },
    });
    expect(await failureOf(session.rows('UPDATE t SET i = 1', [], { timeoutMs: 50 }))).toMatchObject({
      name: 'AdapterFailure',
      type: 'Unreachable',
      silence: 'lost',
    });
  });
});

describe('a session', () => {
  it('is looked after by the kernel while it waits, so that a host without power is found out', async () => {
    const server = await MysqlServer.start({
      says: (side) => {
        side.ok();
      },
    });
    servers.push(server);
    const session = await openSession(target(server.port));
    await session.rows('SELECT 1');
    const timers = execFileSync('ss', ['-tnoH', `dport = :${String(server.port)}`], { encoding: 'utf8' });
    // Seconds and what is left of the next one; it would begin with minutes otherwise.
    const [, seconds] = /timer:\(keepalive,([\d.]+)(?:ms|sec),/.exec(timers) ?? [];
    expect(Number(seconds)).toBeLessThanOrEqual(10);
    session.close();
  });

  it('that is lost stays lost: nothing more is said for it on another connection', async () => {
    const heard: string[] = [];
    const session = await open({
      says: (side, statement) => {
        heard.push(`${String(side.id)} ${statement}`);
        side.cut();
      },
    });
    expect(await failureOf(session.rows('SET GLOBAL read_only = 0'))).toMatchObject({ silence: 'lost' });
    expect(await failureOf(session.rows('SELECT 1'))).toMatchObject({ host: 'db1' });
    expect(heard).toEqual(['1 SET GLOBAL read_only = 0']);
  });
});

describe('a server', () => {
  it.each([
    ['full when it has too many connections', 1040, 'Too many connections', 'full'],
    ['full when the account has too many', 1203, 'User has already more than max_user_connections', 'full'],
    ['a denial when it refuses the login', 1045, 'Access denied', 'denied'],
    ['a denial when it blocked this host', 1129, 'Host is blocked', 'denied'],
  ])('is called %s, not dead', async (_, code, message, silence) => {
    expect(await failureOf(open({ refusal: { code, message } }))).toMatchObject({ type: 'Unreachable', silence });
    // One that is left open ends the process when an error comes on it later.
    await expect.poll(() => servers.at(-1)?.connections()).toBe(0);
  });

  it('that accepts and greets nobody hangs', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as { port: number };
    const failure = await failureOf(openSession(target(port), { timeoutMs: 100 }));
    expect(failure).toMatchObject({ type: 'Unreachable', silence: 'hung' });
    mute.close();
  });

  it('whose port is closed refuses', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    await once(closed, 'close');
    expect(await failureOf(openSession(target(port)))).toMatchObject({ silence: 'refused' });
  });
});
