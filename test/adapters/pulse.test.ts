import { afterEach, describe, expect, it, vi } from 'vitest';
import { SqlPulse } from '../../adapters/pulse.ts';
import type { Behaviour } from './mysql-server.ts';
import { MysqlServer } from './mysql-server.ts';

const servers: MysqlServer[] = [];
const pulses: SqlPulse[] = [];
afterEach(() => {
  for (const pulse of pulses.splice(0)) pulse.close();
  for (const server of servers.splice(0)) server.stop();
});

async function pulseOf(behaviour: Behaviour): Promise<SqlPulse> {
  const server = await MysqlServer.start(behaviour);
  servers.push(server);
  const target = { host: 'db1', address: '127.0.0.1', port: server.port, user: 'standfast', password: 'secret' };
  const pulse = new SqlPulse('db1', () => Promise.resolve(target));
  pulses.push(pulse);
  return pulse;
}

describe('a pulse', () => {
  it('asks over one connection, look after look', async () => {
    const pulse = await pulseOf({
      says: (session) => {
        session.rows([{ id: session.id }]);
      },
    });
    const look = () => pulse.rows('SELECT 1', { timeoutMs: 1_000 });
    expect([await look(), await look(), await look()]).toEqual([[{ id: 1 }], [{ id: 1 }], [{ id: 1 }]]);
    expect(pulse.connections).toBe(1);
  });

  it('tells at once when its connection ends between two looks, and looks over another one then', async () => {
    const cuts: (() => void)[] = [];
    const pulse = await pulseOf({
      says: (session) => {
        cuts.push(() => {
          session.cut();
        });
        session.rows([{ id: session.id }]);
      },
    });
    const lost = vi.fn();
    pulse.onLost(lost);
    await pulse.rows('SELECT 1', { timeoutMs: 1_000 });
    cuts[0]?.();
    await vi.waitFor(() => {
      expect(lost).toHaveBeenCalledOnce();
    });
    expect(await pulse.rows('SELECT 1', { timeoutMs: 1_000 })).toEqual([{ id: 2 }]);
  });

  it('fails as lost when its connection ends in the middle of a look', async () => {
    const pulse = await pulseOf({
      says: (session) => {
        session.cut();
      },
    });
    await expect(pulse.rows('SELECT 1', { timeoutMs: 1_000 })).rejects.toMatchObject({ silence: 'lost' });
  });

  it('takes an answer that was there before the time was over, when this process was kept from running', async () => {
    const pulse = await pulseOf({
      says: (session, statement) => {
        session.rows([{ id: session.id }]);
        if (statement !== 'SELECT 1') return;
        const endsAt = performance.now() + 600;
        while (performance.now() < endsAt);
      },
    });
    expect(await pulse.rows('SELECT 1', { timeoutMs: 300 })).toEqual([{ id: 1 }]);
  });

  it('does not look again while a look before still hangs on the server: connections would run out', async () => {
    const heard: string[] = [];
    let hangs = true;
    const pulse = await pulseOf({
      says: (session, statement) => {
        if (statement.includes('AS reserved')) {
          session.rows([{ reserved: 0 }]);
          return;
        }
        heard.push(`${String(session.id)} ${statement.replace(/ FROM .*/, '')}`);
        if (statement.startsWith('SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = 1'))
          session.rows(hangs ? [{ 1: 1 }] : []);
        else if (!hangs) session.rows([]);
      },
    });
    const look = () => pulse.rows('SHOW ALL SLAVES STATUS', { timeoutMs: 400 });
    for (let looks = 0; looks < 3; looks += 1) await expect(look()).rejects.toMatchObject({ silence: 'silent' });
    expect(heard).toEqual(['1 SHOW ALL SLAVES STATUS', '2 SELECT 1', '2 SELECT 1']);
    hangs = false;
    expect(await look()).toEqual([]);
    expect(pulse.connections).toBe(2);
  });

  it('does not stay in the place that a full server keeps for an administrator, and says that it is full', async () => {
    let isFull = true;
    const pulse = await pulseOf({
      says: (session, statement) => {
        session.rows(statement.includes('AS reserved') ? [{ reserved: isFull ? 1 : 0 }] : [{ id: session.id }]);
      },
    });
    const look = () => pulse.rows('SELECT 1', { timeoutMs: 1_000 });
    expect(await look().catch((error: unknown) => error)).toMatchObject({ silence: 'full' });
    isFull = false;
    expect(await look()).toEqual([{ id: 2 }]);
  });

  it('that is closed while it connects leaves no connection behind, and asks nothing', async () => {
    const heard = vi.fn();
    const pulse = await pulseOf({
      says: (session, statement) => {
        heard(statement);
        session.ok();
      },
    });
    const look = pulse.rows('SELECT 1', { timeoutMs: 1_000 });
    pulse.close();
    await expect(look).rejects.toMatchObject({ type: 'Unreachable' });
    await expect.poll(() => servers[0]?.connections()).toBe(0);
    expect(heard).not.toHaveBeenCalled();
  });
});
