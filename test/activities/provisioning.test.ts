import { expect, it } from 'vitest';
import { asyncLocalStorage } from '@temporalio/activity';
import { provisioningActivities } from '../../activities/provisioning.ts';
import { replicatingActivities } from '../../activities/replicating.ts';
import type { ClusterPorts } from '../../adapters/ports.ts';
import { attempt, contextOf, inSimulatedTime } from './sim/attempt.ts';
import { simulatedPorts } from './sim/ports.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

it('a copy goes to the port on which sshd of its target listens', async () => {
  const sent: Readonly<Record<string, string>>[] = [];
  const donor: ReturnType<ClusterPorts['helper']> = {
    request: (verb, args = {}) => {
      if (verb === 'job-send') sent.push(args);
      return Promise.resolve(verb === 'job-status' ? { state: 'done', bytes: '7' } : { attempt: '1' });
    },
  };
  const cluster: ClusterPorts = {
    ...simulatedPorts(new SimulatedShop()),
    helper: () => donor,
    sshPort: (host) => (host === 'db3' ? 2222 : 22),
  };
  const { copySnapshot } = provisioningActivities({ cluster: () => Promise.resolve(cluster) });
  const copy = { cluster: 'shop', job: 'j', donor: 'db1', target: 'db3' };
  expect(await asyncLocalStorage.run(contextOf('copySnapshot', 1), () => copySnapshot(copy))).toEqual({ bytes: 7 });
  expect(sent).toMatchObject([{ target: cluster.endpoint('db3').address, target_port: '2222' }]);
});

it('a proof stops no threads of a replica that acknowledges by now', async () => {
  const shop = new SimulatedShop();
  const simulated = simulatedPorts(shop);
  const orders: string[] = [];
  const cluster: ClusterPorts = {
    ...simulated,
    helper: (host) => ({
      request: (verb, args, deadline) => {
        if (!verb.startsWith('job-')) return simulated.helper(host).request(verb, args, deadline);
        orders.push(verb);
        return Promise.resolve({ attempt: '1' });
      },
    }),
  };
  const { proveReplica } = replicatingActivities({ cluster: () => Promise.resolve(cluster) });
  const copy = { cluster: 'shop', job: 'j', donor: 'db1', target: 'db3', primary: 'db1' };
  const proof = asyncLocalStorage.run(contextOf('proveReplica', 1), () => proveReplica(copy));
  await expect(proof).rejects.toMatchObject({ type: 'Stale', message: expect.stringContaining('acknowledges writes') });
  expect(orders).toEqual(['job-status']);
  expect(shop.database('db3').channel).toMatchObject({ receiver: 'running', applier: 'running' });
});

it('a copy is given up when no byte has moved for an hour, and not before', async () => {
  let polls = 0;
  let bytes = 0;
  const began = performance.now();
  const donor: ReturnType<ClusterPorts['helper']> = {
    request: (verb) => {
      if (verb !== 'job-status') return Promise.resolve({ attempt: '1' });
      polls += 1;
      // A byte every fifty minutes for five hours, then no more.
      if (performance.now() - began < 18_000_000) bytes = Math.floor((performance.now() - began) / 3_000_000);
      return Promise.resolve({ state: 'running', step: 'send', bytes: String(bytes) });
    },
  };
  const cluster: ClusterPorts = { ...simulatedPorts(new SimulatedShop()), helper: () => donor };
  const { copySnapshot } = provisioningActivities({ cluster: () => Promise.resolve(cluster) });
  const copy = { cluster: 'shop', job: 'j', donor: 'db1', target: 'db3' };
  const copying = asyncLocalStorage.run(contextOf('copySnapshot', 1), () => copySnapshot(copy));
  await expect(copying).rejects.toMatchObject({
    type: 'Unsafe',
    message: expect.stringContaining('no byte of the copy has left db1 for 60 minutes (it has sent 5)'),
  });
  expect(performance.now() - began).toBeGreaterThan(18_000_000);
  expect(polls).toBeGreaterThan(1_000);
});

it('a donor whose logs nobody else can read is refused before a byte moves', async () => {
  const shop = new SimulatedShop();
  shop.kill('db3');
  shop.database('db1').encryptsLogs = true;
  const input = { cluster: 'shop', host: 'db3', from: null };
  const outcome = await attempt(shop, 'planProvision', { input }).catch((error: unknown) => ({ kind: String(error) }));
  expect(outcome).toMatchObject({
    kind: 'failed',
    type: 'Unsafe',
    message: expect.stringMatching(/db3 cannot be provisioned: encrypt_binlog is ON/),
  });
  expect(shop.log).toEqual([]);
});

it('a copy whose logs nobody else can read is not started as a replica', async () => {
  const shop = new SimulatedShop();
  const simulated = simulatedPorts(shop);
  const db3 = shop.database('db3');
  Object.assign(db3.channel ?? {}, { receiver: 'stopped', applier: 'stopped' });
  db3.semiSync.replicaEnabled = false;
  db3.encryptsLogs = true;
  const helper: ClusterPorts['helper'] = (host) => ({
    request: (verb, args, deadline) =>
      verb === 'service-start' || verb.startsWith('job-')
        ? Promise.resolve({ attempt: '1' })
        : simulated.helper(host).request(verb, args, deadline),
  });
  const { startReplica } = replicatingActivities({ cluster: () => Promise.resolve({ ...simulated, helper }) });
  const copy = { cluster: 'shop', job: 'j', donor: 'db1', target: 'db3', primary: 'db1', position: '' };
  const starting = asyncLocalStorage.run(contextOf('startReplica', 1), () => startReplica(copy));
  expect(await starting.catch((error: unknown) => error)).toMatchObject({
    type: 'Unsafe',
    message: expect.stringContaining('encrypt_binlog is ON'),
  });
  expect(db3.channel).toMatchObject({ receiver: 'stopped', applier: 'stopped' });
});

it('a target on record as an acker is first taken off it: a copy of a replica may lack what it acknowledged', async () => {
  const input = { cluster: 'shop', host: 'db3', from: 'db2' };
  const why =
    'db3 is recorded as an acker, and counts for what it has acknowledged (first of all: standfast acker remove shop db3)';
  const plan = (shop: SimulatedShop) => attempt(shop, 'planProvision', { input });
  const runs = new SimulatedShop();
  expect(await plan(runs)).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining(`${why}; a database server already runs on db3 (stop it`),
  });
  const dead = new SimulatedShop();
  dead.kill('db3');
  expect(await plan(dead)).toMatchObject({ kind: 'failed', type: 'Unsafe', message: expect.stringContaining(why) });
  expect([...runs.log, ...dead.log]).toEqual([]);
});

it('asks for the members that are silent, and not for prepare, when the records are undecided', async () => {
  const shop = new SimulatedShop();
  shop.powerOff('db2');
  shop.powerOff('db3');
  const outcome = await attempt(shop, 'planProvision', { input: { cluster: 'shop', host: 'db3', from: null } });
  expect(outcome).toMatchObject({
    kind: 'failed',
    type: 'Unsafe',
    message: expect.stringMatching(/what is recorded is not known: .*; bring back db2 or db3$/),
  });
});
