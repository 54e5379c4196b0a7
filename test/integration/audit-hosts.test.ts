import { expect, onTestFinished, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../../lab/run.ts';
import { slowLine } from '../../lab/slow-line.ts';
import { setClockAhead } from '../../lab/wall-clock.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();
const shop = { cluster: 'shop' };

/** Its server has started while its network card had the address of another host's, as that of a copied virtual machine has. */
const startAsCopyOf = async (lab: Lab, host: string, original: string): Promise<void> => {
  const address = (await lab.host(original).exec(['cat', '/sys/class/net/eth0/address'])).stdout.trim();
  const own = (await lab.host(host).exec(['cat', '/sys/class/net/eth0/address'])).stdout.trim();
  await lab.linkDown(host);
  for (const command of [
    ['ip', 'link', 'set', 'eth0', 'address', address],
    ['service', 'mariadb', 'restart'],
    ['ip', 'link', 'set', 'eth0', 'address', own],
  ])
    expect(await lab.host(host).exec(command, { timeoutMs: 60_000 })).toMatchObject({ exitCode: 0 });
  await lab.linkUp(host);
};

test('an audit finds a copied server, a clock that is ahead, a far host, and a line that is full', async () => {
  const { lab, client, restoreWithWorker } = cluster();
  await restoreWithWorker('cluster', 'only');
  await startAsCopyOf(lab, 'db3', 'db2');
  await setClockAhead(lab.host('db2'), 2);
  await lab.host('db3').sql('START SLAVE');
  await slowLine(lab, 'db2', { mbits: 10_000, roundTripMs: 25 });
  await slowLine(lab, 'db3', { mbits: 10, roundTripMs: 0 });
  // About 1.2 MB/s, of 1.25 that the line of db3 carries.
  await lab.host('db1').sql('CREATE TABLE shop.bulk (id INT AUTO_INCREMENT PRIMARY KEY, filler MEDIUMBLOB)');
  const writer = lab
    .host('db1')
    .spawn([
      'mariadb',
      '--delimiter=//',
      '--execute',
      "FOR n IN 1..6000 DO INSERT INTO shop.bulk (filler) VALUES (REPEAT('x', 150000)); DO SLEEP(0.1); END FOR",
    ]);
  onTestFinished(() => {
    writer.kill('SIGKILL');
  });
  await until('rows of the writer', async () => {
    const [[rows] = []] = await lab.host('db1').sql('SELECT COUNT(*) FROM shop.bulk');
    return Number(rows) > 3 ? true : undefined;
  });
  const { findings } = await client.audit(shop);
  const found = (code: string) =>
    Object.fromEntries(findings.filter((one) => one.code === code).map((one) => [one.where, one.found]));
  expect(found('ServerUidShared')).toEqual({
    db2: expect.stringMatching(/, as on db3$/),
    db3: expect.stringMatching(/, as on db2$/),
  });
  expect(found('ClocksDiffer')).toEqual({
    db1: expect.stringMatching(/^(1[5-9]|2[0-4])\d\d ms apart from db2$/),
    db2: expect.stringMatching(/^(1[5-9]|2[0-4])\d\d ms apart from db[13]$/),
    db3: expect.stringMatching(/^(1[5-9]|2[0-4])\d\d ms apart from db2$/),
  });
  expect(found('LatencyLow')).toMatchObject({
    'db1/db2': expect.stringMatching(/^[2-5]\d(\.\d+)? ms round trip .* commits\/s on one connection/),
    'db2/db1': expect.stringMatching(/^[2-5]\d(\.\d+)? ms round trip /),
  });
  expect(Object.keys(found('LinkBusy'))).toEqual(['db1/db3']);
  expect(found('LinkBusy')['db1/db3']).toMatch(/^\d{2,3} % of the link is needed for what is written now$/);
});
