import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { useCluster } from './cluster.ts';
import { freezeCopy } from './copy.ts';
import { textOf } from './histories.ts';
import { refusalOf } from './refusal.ts';
import { useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();

const GENERAL_LOG = '/var/log/mysql/general.log';

/** Passwords whole; of the key one line of its body, which no encoding of the whole hides. */
function secretsOf(lab: Lab): readonly string[] {
  const passwords = ['standfast', 'repl', 'app'].map((account) =>
    readFileSync(lab.etc(`${account}.password`), 'utf8').trim(),
  );
  const [, line = ''] = readFileSync(lab.etc('ssh_key'), 'utf8').split('\n').slice(1);
  const secrets = [...passwords, line];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(30);
  return secrets;
}

/** Which of `needles` stand in a text, by their numbers: the secrets themselves are not to be printed by a failed test. */
const found = (text: string, needles: readonly string[]): readonly number[] =>
  needles.flatMap((needle, index) => (text.includes(needle) ? [index] : []));

/** Command lines of everything that runs on the machine, and so on all hosts. */
const commandLines = (): string =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // it ended meanwhile
      }
    })
    .join('\n');

test('no password and no key is in a history, the database of Temporal, a log or a process list', async () => {
  const { lab, client, restore, startWorker } = cluster();
  const secrets = secretsOf(lab);
  await restore('plain');
  const worker = await startWorker('told-everything');
  const configure = `printf '[mysqld]\\ngeneral_log=1\\ngeneral_log_file=${GENERAL_LOG}\\n' >/etc/mysql/mariadb.conf.d/70-log.cnf`;
  await lab.host('db2').exec(['sh', '-c', configure]);
  const provisioning = client.provisionReplica({ cluster: 'shop', host: 'db2' });
  const copy = await freezeCopy(lab, 'db1');
  const during = commandLines();
  expect(during).toContain('mariadb-backup');
  expect(found(during, secrets)).toEqual([]);
  copy.thaw();
  await provisioning;
  // A failed run tells more than a good one; here db3 is not a replica yet.
  expect(await refusalOf(client.verify({ cluster: 'shop' }))).toMatchObject({ type: 'Unhealthy' });

  const types = new Set<string>();
  for await (const { workflowId, runId, type } of temporal().workflow.list()) {
    const history = textOf(await temporal().workflow.getHandle(workflowId, runId).fetchHistory());
    expect(history).toContain('shop');
    expect({ workflowId, secrets: found(history, secrets) }).toEqual({ workflowId, secrets: [] });
    types.add(type);
  }
  expect([...types]).toEqual(expect.arrayContaining(['preparePrimary', 'provisionReplica', 'admitReplica']));

  const folder = path.join(lab.folder, 'run');
  for (const name of readdirSync(folder).filter((one) => /^(temporal\.db|worker-|temporal\.log)/.test(one)))
    expect({ name, secrets: found(readFileSync(path.join(folder, name), 'latin1'), secrets) }).toEqual({
      name,
      secrets: [],
    });
  expect(readFileSync(path.join(folder, 'temporal.db'), 'latin1')).toContain('provisionReplica');
  expect(worker.log().length).toBeGreaterThan(100);

  const { stdout: general } = await lab.host('db2').exec(['cat', GENERAL_LOG]);
  expect(general).toContain('sql_log_off = 1');
  expect(general).toContain('START SLAVE');
  expect(found(general, secrets)).toEqual([]);
  for (const host of ['db1', 'db2']) {
    const { stdout } = await lab.host(host).exec(['sh', '-c', 'cat /var/lib/standfast/journal /var/log/mysql/*.log']);
    expect({ host, secrets: found(stdout, secrets) }).toEqual({ host, secrets: [] });
  }
});
