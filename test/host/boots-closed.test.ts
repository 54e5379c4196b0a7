import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Sandbox } from './sandbox.ts';

const configuration = { owner: 'plane-1', server_id: 7, report_host: 'db1' };

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.installDatabase();
});
afterAll(() => host.stop());

it.each([
  'read-only=0',
  'loose-read_only=off',
  'skip-read-only',
  'loose_disable_read_only',
  'read-only',
  'read_only=ON',
  'port=3307',
])('says whether it would boot closed as its server would, with %s in a later file', (line) => {
  host.fields('configure', configuration);
  host.shell(`printf '[mariadb]\\n%s\\n' '${line}' >/etc/mysql/mariadb.conf.d/zzz-site.cnf`);
  onTestFinished(() => {
    host.must('rm', '/etc/mysql/mariadb.conf.d/zzz-site.cnf');
  });
  const [, value] = /^read-only +(\w+)$/m.exec(host.shell('mariadbd --user=mysql --verbose --help 2>/dev/null')) ?? [];
  expect(value).toMatch(/^(TRUE|FALSE)$/);
  const { boots, opened_by: openedBy } = host.fields('installed', {});
  expect({ boots, openedBy }).toEqual(
    value === 'TRUE' ? { boots: 'closed', openedBy: '' } : { boots: 'open', openedBy: `--${line}` },
  );
  expect(host.ask('configure', configuration).ok).toBe(value === 'TRUE');
});
