import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LET_ROOT_IN } from '../../domain/accounts.ts';
import { Sandbox } from './sandbox.ts';

const owner = 'plane-1';
const account = 'standfast';
const PASSWORD = 'of-the-administrator';
let epoch = 0;
const next = () => {
  epoch += 1;
  return { owner, account, epoch, run: `run-${String(epoch)}` };
};

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.installDatabase();
  host.fields('configure', { owner, server_id: 1, report_host: 'db1', settings: 'log_bin=mariadb-bin' });
});
afterAll(() => host.stop());
beforeEach(() => {
  host.serve({ owner });
});

const asAdministrator = (statements: string): string =>
  host.must(
    ...['mariadb', '--no-defaults', '-uroot', `-p${PASSWORD}`, '-S', '/run/mysqld/mysqld.sock', '-N', '-B'],
    ...['-e', statements],
  );

/** The server lets root in with a password alone, as many installations of before have it. */
async function underPassword(work: () => void | Promise<void>): Promise<void> {
  host.sql(`ALTER USER root@localhost IDENTIFIED BY '${PASSWORD}'`);
  try {
    await work();
  } finally {
    const before = asAdministrator('SELECT @@gtid_binlog_pos');
    const [, statements = ''] = LET_ROOT_IN.split(': ');
    asAdministrator(statements.replace('ITS_PASSWORD', `'${PASSWORD}'`));
    expect(asAdministrator('SELECT @@gtid_binlog_pos')).toBe(before);
  }
}

const DENIED = /^ERROR 1045 \(28000\): Access denied for user 'root'@'localhost'/;
const refusal = {
  ok: false,
  type: 'Unverified',
  message: expect.stringMatching(/ERROR 1045 .*: SET sql_log_bin=0; ALTER USER root@localhost/),
};

describe('a server that denies root the login over its socket', () => {
  it('is told apart from one that hangs, at once, until its administrator lets root in again', async () => {
    await underPassword(() => {
      const from = performance.now();
      expect(host.fields('claim', next())).toMatchObject({
        ...{ epoch: String(epoch), sessions: '0', mysqld: 'hung', denied: expect.stringMatching(DENIED) },
      });
      expect(performance.now() - from).toBeLessThan(2_500);
    });
    const answer = host.fields('claim', next());
    expect(answer).toMatchObject({ mysqld: 'running' });
    expect(answer).not.toHaveProperty('denied');
  });

  it('is not called hanging to a copy that begins', async () => {
    await underPassword(() => {
      expect(host.ask('job-claim', { owner, job: 'copy', account })).toEqual(refusal);
      // The helper has the sentence of its own, word for word.
      expect(host.ask('job-claim', { owner, job: 'copy', account })).toMatchObject({
        message: expect.stringContaining(LET_ROOT_IN),
      });
    });
    expect(host.ask('job-claim', { owner, job: 'copy', account }).ok).toBe(true);
  });

  it('is not called started, and whoever started it need not wait to hear why', async () => {
    await underPassword(async () => {
      expect(host.ask('service-start', { owner })).toEqual(refusal);
      asAdministrator('SHUTDOWN');
      await host.serverIsGone();
      expect(host.ask('service-start', { owner })).toEqual(refusal);
    });
    expect(host.fields('service-start', { owner })).toMatchObject({ mysqld: 'running', read_only: '1' });
  });

  it('is told of by what is installed, with what it said, and one that is down is not', async () => {
    expect(host.fields('installed')).toMatchObject({ socket_root: 'yes' });
    await underPassword(() => {
      expect(host.fields('installed')).toMatchObject({ socket_root: expect.stringMatching(DENIED) });
    });
    host.fields('service-stop', { owner });
    expect(host.fields('installed')).toMatchObject({ socket_root: '' });
  });
});
