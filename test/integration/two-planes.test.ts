import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Standfast } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { temporalCli } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';
import { useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const NAMESPACE = 'second-plane';
const members = ['db1', 'db2', 'db3'];
const order = { cluster: 'shop', reason: 'test' };
const TEST_MS = 300_000;

let second: Standfast;
let worker: LabWorker | undefined;

beforeAll(async () => {
  const { temporal, temporalInside } = cluster();
  const create = [temporalCli(), 'operator', 'namespace', 'create', '-n', NAMESPACE, '--address', temporalInside];
  const made = await cluster().lab.control.exec(create, { timeoutMs: 60_000 });
  if (made.exitCode !== 0) throw new Error(`no second namespace: ${made.stderr}`);
  second = await Standfast.connect({ address: temporal, namespace: NAMESPACE });
});
afterEach(async () => {
  await worker?.kill();
  worker = undefined;
});

const startSecondWorker = async (): Promise<void> => {
  const temporal = cluster().temporalInside;
  const environment = { TEMPORAL_NAMESPACE: NAMESPACE };
  worker = await LabWorker.start(cluster().lab, 'second-plane', { temporal, environment });
};

const on = async (host: string, command: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['sh', '-c', command])).stdout.trim();

/** All that an order could have changed on a member, and what it executed. */
const stateOf = () =>
  Promise.all(
    members.map((host) =>
      on(
        host,
        `cd /var/lib/standfast; cat owner epoch primary sync standing; grep ' ok' journal | sha256sum
        sha256sum /etc/mysql/mariadb.conf.d/* /etc/keepalived/keepalived.conf; ls -A jobs attempts 2>/dev/null`,
      ),
    ),
  );

/** The remedy of the refusal, as a person would run it. */
async function handOver(hosts: readonly string[], refusal: string): Promise<void> {
  const [, owner = ''] = /standfast-host hand-over owner=(\S+\w)/.exec(refusal) ?? [];
  expect(owner).toMatch(new RegExp(`^${NAMESPACE}/`));
  for (const host of hosts) expect(await on(host, `standfast-host hand-over owner=${owner}`)).toContain('ok');
}

const epochOn = async (host: string): Promise<number> =>
  Number((await on(host, 'cat /var/lib/standfast/epoch')).split(' ')[0]);

describe('a second control plane with the same inventory', () => {
  test(
    'is refused by every member, with both names and the remedy, and changes nothing',
    { timeout: TEST_MS },
    async () => {
      const { lab, restore } = cluster();
      await restore('cluster');
      await startSecondWorker();
      const before = await stateOf();
      const adopting = await refusalOf(second.preparePrimary({ cluster: 'shop', host: 'db1' }));
      expect(adopting).toMatchObject({ type: 'Unsafe', exitCode: 4 });
      expect(adopting.message).toMatch(
        /db1 obeys the control plane "default\/[^"]+", not "second-plane\/[^"]+"; nothing was changed; a person can run as root on db1: standfast-host hand-over owner=second-plane\//,
      );
      expect(await stateOf()).toEqual(before);
      lab.host('db1').signal('mariadbd', 'SIGKILL');
      const failing = await refusalOf(second.failover(order));
      expect(failing.message).toMatch(/obeys the control plane "default\/.*Nothing was changed/s);
      expect(await stateOf()).toEqual(before);
      expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
    },
  );

  test(
    'takes over when a person hands it a majority: epochs go on, and the first one is refused',
    { timeout: TEST_MS },
    async () => {
      const { lab, client, startLedger, restoreWithWorker } = cluster();
      await restoreWithWorker('cluster', 'first-plane');
      await startSecondWorker();
      const { message } = await refusalOf(second.preparePrimary({ cluster: 'shop', host: 'db1' }));

      // Half of a hand-over: one host is not enough for the new one, and no longer obeys the old one.
      await handOver(['db1'], message);
      const early = await refusalOf(second.preparePrimary({ cluster: 'shop', host: 'db1' }));
      expect(early.message).toMatch(/db[23] obeys the control plane "default\//);
      const late = await refusalOf(client.preparePrimary({ cluster: 'shop', host: 'db1' }));
      expect(late.message).toMatch(/db1 obeys the control plane "second-plane\//);

      await handOver(['db2'], message);
      const epoch = await epochOn('db1');
      expect(await second.preparePrimary({ cluster: 'shop', host: 'db1' })).toMatchObject({ outcome: 'open' });
      expect(await epochOn('db1')).toBeGreaterThan(epoch);
      const ledger = startLedger();
      await ledger.acknowledged(20);
      const faultAt = Ledger.now();
      lab.host('db1').signal('mariadbd', 'SIGKILL');
      const before = await stateOf();
      const refused = await refusalOf(client.failover(order));
      expect(refused.message).toMatch(/obeys the control plane "second-plane\//);
      expect(await epochOn('db2')).toBe(Number(before[1]?.split('\n')[1]?.split(' ')[0]));
      expect(await second.failover(order)).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
      await ledger.acknowledged(20, { since: Ledger.now() });
      await ledger.stop();
      const verdict = await ledger.verdict({ primary: 'db2', faultAt });
      expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    },
  );

  test(
    'fails over a primary whose host is dead, when a majority is handed over as the refused failover says (docs/runbooks.md)',
    { timeout: TEST_MS },
    async () => {
      const { lab, startLedger, restore } = cluster();
      await restore('cluster');
      const ledger = startLedger();
      await ledger.acknowledged(20);
      const faultAt = Ledger.now();
      await lab.host('db1').powerOff();
      await startSecondWorker();
      const { type, message } = await refusalOf(second.failover(order));
      expect({ type, message }).toMatchObject({
        type: 'Unsafe',
        message: expect.stringContaining('othing was changed') as string,
      });
      await handOver(['db2', 'db3'], message);
      const { outcome, newPrimary } = await second.failover(order);
      expect(outcome).toBe('failed-over');
      await ledger.acknowledged(20, { since: Ledger.now() });
      await ledger.stop();
      const verdict = await ledger.verdict({ primary: newPrimary, faultAt });
      expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    },
  );
});
