import { describe, expect, it } from 'vitest';
import { askMachine, summary } from '../../activities/auditing-host.ts';
import type { ClusterPorts } from '../../adapters/ports.ts';
import { judgeAudit } from '../../domain/audit/report.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

async function factsOf(shop: SimulatedShop) {
  const outcome = await attempt(shop, 'gatherAuditFacts', { input: { cluster: 'shop' } });
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
const findingsOf = async (shop: SimulatedShop) =>
  judgeAudit(await factsOf(shop)).findings.map(({ where, code }) => `${where} ${code}`);

describe('the facts of an audit', () => {
  it('come from every host, its server and its files, and leave all as it was', async () => {
    const shop = new SimulatedShop();
    const facts = await factsOf(shop);
    expect(shop.log).toEqual([]);
    expect(facts.primary).toEqual({ kind: 'seen', value: 'db1' });
    expect(facts.links).toHaveLength(6);
    for (const { host, machine, server, nextStart, keepalived, backup } of facts.hosts) {
      expect([machine, server, nextStart, keepalived, backup].map(({ kind }) => kind)).toEqual(Array(5).fill('seen'));
      expect(machine).toMatchObject({ value: { machineId: `machine-${host}`, sudo: [expect.any(String)] } });
      expect(nextStart).toMatchObject({ value: { settings: { read_only: 'ON', log_bin: 'ON' } } });
    }
  });

  it('say of a host that is silent why nothing of it was seen, and of the others everything', async () => {
    const shop = new SimulatedShop();
    shop.cutFromWorker.add('db3');
    const { hosts, links } = await factsOf(shop);
    const [, , silent] = hosts;
    for (const part of [silent?.machine, silent?.server, silent?.nextStart, silent?.keepalived, silent?.backup])
      expect(part).toMatchObject({ kind: 'not-seen', why: expect.stringMatching(/./) });
    expect(hosts[0]?.server.kind).toBe('seen');
    expect(links.map(({ from, roundTrip }) => `${from} ${roundTrip.kind}`).toSorted()).toEqual([
      ...['db1 seen', 'db1 seen', 'db2 seen', 'db2 seen', 'db3 not-seen', 'db3 not-seen'],
    ]);
  });

  it('of a shop in good order lead to no finding but the site that two hosts share', async () => {
    const found = await findingsOf(new SimulatedShop());
    // The simulated servers have no TLS, and their files name only a few of their settings.
    expect(found.filter((one) => !/ServerWithoutTls|ChangesAtRestart/.test(one))).toEqual([
      'db2 SameSite',
      'db3 SameSite',
    ]);
  });

  it('have no word for what Temporal does not remember', async () => {
    const shop = new SimulatedShop();
    const facts = await factsOf(
      Object.assign(shop, { proofs: { lastProof: () => Promise.reject(new Error('away')) } }),
    );
    expect(facts.proof).toEqual({ kind: 'not-seen', why: 'away' });
  });
});

it('the clock of a host is read by a question of its own: what is asked of its machine takes longer', async () => {
  const takesMs: Readonly<Record<string, number>> = { hello: 20, 'audit-host': 2_000 };
  const request = async (verb: string) => {
    await new Promise((resolve) => setTimeout(resolve, takesMs[verb]));
    return { now: String(1_000 * (Date.now() + 500)) };
  };
  const cluster = { vip: { interface: 'eth0' }, helper: () => ({ request }) } as unknown as ClusterPorts;
  const { clock } = await askMachine(cluster, 'db1');
  expect(clock.errorMs).toBeLessThan(20);
  expect(Math.abs(clock.offsetMs - 500)).toBeLessThanOrEqual(clock.errorMs);
});

it('a summary is by the nearest rank', () => {
  expect(summary(Array.from({ length: 20 }, (_, index) => 20 - index))).toEqual({ p50Ms: 10, p99Ms: 20, samples: 20 });
  expect(summary([3])).toEqual({ p50Ms: 3, p99Ms: 3, samples: 1 });
});
