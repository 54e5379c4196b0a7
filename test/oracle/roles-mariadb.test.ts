import type { RowDataPacket } from 'mysql2';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { readGrants } from '../../adapters/mariadb-grants.ts';
import { ALL_PRIVILEGES, readRoles } from '../../adapters/mariadb-roles.ts';
import type { Row, Session } from '../../adapters/ports.ts';
import { judgeGrants, REQUIRED_GRANTS } from '../../domain/accounts.ts';
import { privilegesAtLogin, privilegesWithinReach } from '../../domain/roles.ts';
import { Oracle } from './server.ts';

const READ_ONLY = 1290;
const ACCOUNTS = ['plain', 'active', 'may', 'deprived', 'almighty'] as const;

let server: Oracle;
const run = (statements: string) => server.connection.query(statements);
const rows = async (statement: string): Promise<readonly Row[]> => {
  const [found] = await server.connection.query<RowDataPacket[]>(statement);
  return found;
};
const session: Session = { host: 'db1', rows, close: () => undefined };
const become = (user: string) => server.connection.changeUser({ user });

beforeAll(async () => {
  server = await Oracle.mariadb();
  await run(`CREATE DATABASE shop; CREATE TABLE shop.t (a INT); CREATE DATABASE standfast;
    CREATE ROLE writer; CREATE ROLE outer_one; CREATE ROLE \`odd\`\`name\`; CREATE ROLE everything;
    GRANT READ_ONLY ADMIN ON *.* TO writer; GRANT writer TO outer_one; GRANT ALL PRIVILEGES ON *.* TO everything`);
  for (const user of ACCOUNTS) await run(`CREATE USER ${user}@localhost; GRANT INSERT ON shop.* TO ${user}@localhost`);
  await run(`GRANT outer_one TO active@localhost; SET DEFAULT ROLE outer_one FOR active@localhost;
    GRANT \`odd\`\`name\` TO plain@localhost; GRANT writer TO may@localhost; GRANT everything TO almighty@localhost;
    GRANT writer TO deprived@localhost; SET DEFAULT ROLE writer FOR deprived@localhost; REVOKE writer FROM deprived@localhost;
    SET GLOBAL read_only = 1`);
});
afterAll(() => server.stop());

async function writes(): Promise<boolean> {
  const code = await server.attempt('INSERT INTO shop.t VALUES (1)');
  expect([0, READ_ONLY]).toContain(code);
  return code === 0;
}

/** Whether an account writes on a read-only server when it logs in, and once it has taken whatever role it may. */
async function tried(user: string): Promise<{ readonly atLogin: boolean; readonly withinReach: boolean }> {
  await become(user);
  const atLogin = await writes();
  let withinReach = atLogin;
  for (const { ROLE_NAME: role } of await rows('SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES')) {
    if ((await server.attempt(`SET ROLE \`${String(role).replaceAll('`', '``')}\``)) === 0)
      withinReach ||= await writes();
  }
  await become('root');
  return { atLogin, withinReach };
}

async function said(user: string): Promise<{ readonly atLogin: boolean; readonly withinReach: boolean }> {
  const roles = await readRoles(rows);
  const mayWrite = ({ global }: { readonly global: readonly string[] }) => global.includes('READ_ONLY ADMIN');
  const account = `'${user}'@'localhost'`;
  return {
    atLogin: mayWrite(privilegesAtLogin(roles, account)),
    withinReach: mayWrite(privilegesWithinReach(roles, account)),
  };
}

it.each([
  ['plain', false, false],
  ['active', true, true],
  ['may', false, true],
  ['deprived', false, false],
  ['almighty', false, true],
])('%s writes on a read-only server as its roles say: at login %s, at all %s', async (user, atLogin, withinReach) => {
  expect(await tried(user)).toEqual({ atLogin, withinReach });
  expect(await said(user)).toEqual({ atLogin, withinReach });
});

it('what is given to PUBLIC, everybody has', async () => {
  await run('GRANT READ_ONLY ADMIN ON *.* TO PUBLIC');
  onTestFinished(async () => {
    await run('REVOKE READ_ONLY ADMIN ON *.* FROM PUBLIC');
  });
  expect(await tried('plain')).toEqual({ atLogin: true, withinReach: true });
  expect(await said('plain')).toEqual({ atLogin: true, withinReach: true });
});

it('all privileges are those that the server lists', async () => {
  const listed = await rows(
    "SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = \"'root'@'localhost'\"",
  );
  expect([...ALL_PRIVILEGES].sort()).toEqual(listed.map(({ privilege }) => String(privilege)).sort());
});

it('an operation account holds what its default role gives it, and not what it would have to take', async () => {
  const global = REQUIRED_GRANTS.filter(({ account, on }) => account === 'operation' && on === '*.*');
  const privileges = global.flatMap((one) => one.privileges);
  await run(`CREATE ROLE operators; GRANT ${privileges.join(', ')} ON *.* TO operators;
    GRANT ALL PRIVILEGES ON standfast.* TO operators; CREATE USER op@localhost; GRANT operators TO op@localhost`);
  const missed = async () => {
    await become('op');
    const held = await readGrants(session, { replication: 'repl', heartbeat: 'beat' });
    await become('root');
    return judgeGrants(held, { operation: 'op', replication: 'repl', heartbeat: 'beat' }).filter(
      ({ account, isHeld }) => account === 'operation' && !isHeld,
    ).length;
  };
  expect(await missed()).toBe(privileges.length + 6);
  await run('SET DEFAULT ROLE operators FOR op@localhost');
  expect(await missed()).toBe(0);
});
