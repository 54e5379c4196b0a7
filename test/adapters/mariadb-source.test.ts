import { describe, expect, test } from 'vitest';
import { pointAt } from '../../adapters/mariadb.ts';
import type { Session } from '../../adapters/ports.ts';
import { AdapterFailure } from '../../adapters/ports.ts';

const PASSWORD = "it's a \\ canary";

/** A session that notes what it is asked, and answers CHANGE MASTER as told. */
function listening(answer: () => Promise<[]> = () => Promise.resolve([])): { session: Session; asked: string[] } {
  const asked: string[] = [];
  const rows: Session['rows'] = (statement) => {
    asked.push(statement.replaceAll(/\s+/g, ' '));
    return statement.startsWith('CHANGE MASTER') ? answer() : Promise.resolve([]);
  };
  return { asked, session: { host: 'db2', rows, close: () => undefined } };
}

const to = (password: string, address = '10.0.0.1') => ({
  endpoint: { address, port: 3306 },
  account: { name: 'repl', password },
});

const failureOf = (pointing: Promise<void>): Promise<AdapterFailure> =>
  pointing.then(
    () => {
      throw new Error('it was expected to fail');
    },
    (error: unknown) => error as AdapterFailure,
  );

describe('pointing a replica at its source', () => {
  test('writes the password as a literal that ends nowhere else, with the logs off around it', async () => {
    const { session, asked } = listening();
    await pointAt(session, to(PASSWORD));
    expect(asked[0]).toContain("sql_mode = '', SESSION sql_log_off = 1, SESSION slow_query_log = 0");
    expect(asked[1]).toContain("MASTER_PASSWORD = 'it''s a \\\\ canary', MASTER_CONNECT_RETRY");
    expect(asked[2]).toContain('sql_log_off = DEFAULT, SESSION slow_query_log = DEFAULT');
  });

  test('does not repeat what a server says that refuses it: a server quotes the statement', async () => {
    const said = new AdapterFailure({
      type: 'Unverified',
      host: 'db2',
      message: `db2: a statement failed (String '${PASSWORD}' is too long)`,
      facts: { errno: 1470 },
    });
    const failure = await failureOf(pointAt(listening(() => Promise.reject(said)).session, to(PASSWORD)));
    expect(failure).toMatchObject({ type: 'Unverified', host: 'db2', facts: { errno: 1470 } });
    expect(failure.message).toContain('CHANGE MASTER failed (error 1470)');
    expect(`${failure.message} ${String(failure.stack)} ${String(failure.cause)}`).not.toContain('canary');
  });

  test('says that a session was lost as it was said', async () => {
    const lost = new AdapterFailure({ type: 'Unreachable', host: 'db2', silence: 'silent', message: 'db2: no answer' });
    const failure = await failureOf(pointAt(listening(() => Promise.reject(lost)).session, to(PASSWORD)));
    expect(failure).toBe(lost);
  });

  test.each([
    ['a password that no server takes', to('canary'.repeat(17)), 'longer than the 96 bytes'],
    ['a password with a control character', to('canary\n'), 'characters that are not allowed'],
    ['an address that would end the literal', to('canary', "10.0.0.1'; DROP"), 'characters that are not allowed'],
  ])('refuses %s before anything is asked, and does not repeat it', async (_what, source, why) => {
    const { session, asked } = listening();
    const failure = await failureOf(pointAt(session, source));
    expect(failure.type).toBe('BadInput');
    expect(failure.message).toContain(why);
    expect(failure.message).toContain('nothing was changed');
    expect(failure.message).not.toContain('canary');
    expect(asked).toEqual([]);
  });
});
