import { afterEach, expect, it } from 'vitest';
import { recordsFrom } from '../../../activities/records-answer.ts';
import { readBeat, writeBeat } from '../../../adapters/mariadb-heartbeat.ts';
import { readPrimary, readReplication, readUptimeSeconds } from '../../../adapters/mariadb-status.ts';
import { parseKnownHosts } from '../../../adapters/known-hosts.ts';
import { SqlPulse } from '../../../adapters/pulse.ts';
import { SshHelper } from '../../../adapters/ssh.ts';
import { Fleet } from '../../../bench/fleet/fleet-state.ts';
import { listenAt } from '../../../bench/fleet/listening.ts';
import { membersOf } from '../../../bench/fleet/members.ts';
import { sqlServer } from '../../../bench/fleet/sql-servers.ts';
import { freshKey, SshServers } from '../../../bench/fleet/ssh-servers.ts';
import { judgeThreads } from '../../../domain/watched-replica.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function simulatedSql() {
  const fleet = new Fleet(membersOf(2));
  const servers = fleet.members.map((_, place) => sqlServer(fleet, place));
  const addresses = fleet.members.map((one) => one.address);
  const port = await listenAt(addresses, servers);
  for (const server of servers) closers.push(() => server.close());
  const pulse = (place: number): SqlPulse => {
    const { name, address } = fleet.member(place);
    const target = { host: name, address, port, user: 'standfast', password: 'secret' };
    const one = new SqlPulse(name, () => Promise.resolve(target));
    closers.push(() => {
      one.close();
    });
    return one;
  };
  return { fleet, pulse };
}

const patient = { timeoutMs: 2_000 };

it('looks to the adapters like a primary and its replicas', async () => {
  const { fleet, pulse } = await simulatedSql();
  expect(await readPrimary(pulse(0), patient)).toMatchObject({ isClosed: false, binlogPosition: '0-1-184220' });
  expect((await readPrimary(pulse(1), patient)).isClosed).toBe(true);
  expect(await readUptimeSeconds(pulse(0), patient)).toBeGreaterThanOrEqual(0);
  const replication = await readReplication(pulse(4), (address) => `of ${address}`, patient);
  expect(replication).toMatchObject({ source: 'of 127.10.1.1', received: '0-1-184220', usesGtid: true, filters: [] });
  expect(judgeThreads(replication).code).toBe('Replicates');
  expect(fleet.looks.seen).toBe(3);
});

it('counts heartbeats while the primary lives, and connects in vain when it was killed', async () => {
  const { fleet, pulse } = await simulatedSql();
  const [primary, replica] = [pulse(0), pulse(1)];
  await readPrimary(primary, patient);
  const heard = async () => readReplication(replica, () => 'db1', patient);
  const before = (await heard())?.heartbeatsReceived ?? 0;
  await expect.poll(async () => (await heard())?.heartbeatsReceived).toBeGreaterThan(before);
  fleet.kill(fleet.member(0).address);
  await expect(readPrimary(primary, patient)).rejects.toMatchObject({ silence: 'lost' });
  const deaf = await heard();
  expect(deaf?.receiver).toBe('connecting');
  expect((await heard())?.heartbeatsReceived).toBe(deaf?.heartbeatsReceived);
  fleet.revive();
  expect((await readPrimary(primary, patient)).isClosed).toBe(false);
});

it('shows a heartbeat row of the primary on its replicas, and on nobody else', async () => {
  const { pulse } = await simulatedSql();
  expect(await writeBeat(pulse(0), 'w/1', patient)).toBe(true);
  const shown = await readBeat(pulse(2), patient);
  expect(shown?.token).toBe('w/1');
  expect(Math.abs((shown?.writtenMs ?? 0) - Date.now())).toBeLessThan(5_000);
  expect(shown?.clockMs).toBeGreaterThanOrEqual(shown?.writtenMs ?? Infinity);
  expect((await readBeat(pulse(4), patient))?.token).toBe('');
});

it('says which statement it does not know', async () => {
  const { fleet, pulse } = await simulatedSql();
  await expect(pulse(0).rows('SELECT VERSION()', patient)).rejects.toMatchObject({ facts: { errno: 1064 } });
  expect(fleet.looks.end(performance.now(), fleet.members).unknown).toEqual(['the statement SELECT VERSION()']);
});

async function simulatedSsh() {
  const fleet = new Fleet(membersOf(1));
  const key = freshKey();
  const servers = new SshServers(fleet, key.public);
  const addresses = fleet.members.map((one) => one.address);
  const port = await listenAt(addresses, servers.all);
  for (const server of servers.all) closers.push(() => server.close());
  const helper = (place: number, { pinned = place, login = key } = {}): SshHelper => {
    const { name, address } = fleet.member(place);
    const knownHosts = `[${address}]:${String(port)} ${servers.hostKeys[pinned] ?? ''}\n`;
    const access = { user: 'standfast', privateKey: login.private, knownHosts };
    const one = new SshHelper(
      { host: name, address, port },
      {
        user: access.user,
        privateKey: () => Promise.resolve(access.privateKey),
        knownHosts: () => Promise.resolve(parseKnownHosts(knownHosts)),
      },
    );
    closers.push(() => {
      one.close();
    });
    return one;
  };
  return { fleet, helper };
}

it('answers over SSH as a host helper does, and shows a key of each host', async () => {
  const { fleet, helper } = await simulatedSsh();
  const answer = await helper(1).request('records');
  expect(answer).toMatchObject({ mysqld: 'running', addresses: '127.0.0.1,127.10.0.2' });
  expect(recordsFrom('db2', answer)).toMatchObject({ primary: { host: 'db1', epoch: 1 }, standing: 'sure' });
  await expect(helper(1, { pinned: 0 }).request('records')).rejects.toMatchObject({ reason: 'host-key' });
  await expect(helper(1, { login: freshKey() }).request('records')).rejects.toMatchObject({ reason: 'authentication' });
  fleet.kill(fleet.member(1).address);
  expect(await helper(1).request('records')).toMatchObject({ mysqld: 'stopped' });
});

it('says which verb it does not know', async () => {
  const { fleet, helper } = await simulatedSsh();
  await expect(helper(0).request('fence')).rejects.toMatchObject({ type: 'BadInput' });
  const { unknown } = fleet.looks.end(performance.now(), fleet.members);
  expect(unknown).toEqual(['the verb fence of the host helper']);
});
