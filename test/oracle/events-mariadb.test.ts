import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noteEvents, runEvents } from '../../adapters/mariadb-events.ts';
import { missingWriter } from '../../adapters/mariadb-heartbeat.ts';
import type { Row, Session } from '../../adapters/ports.ts';
import { asRows, openSession } from '../../adapters/sql.ts';
import { OPERATION_PRIVILEGES, REQUIRED_GRANTS } from '../../domain/accounts.ts';
import { until } from '../../lab/run.ts';
import { freePort, Oracle } from './server.ts';

const servers: Oracle[] = [];
let primary: Oracle;
let replica: Oracle;
let ports: readonly [number, number];

async function start(id: number, port: number): Promise<Oracle> {
  const server = await Oracle.mariadb(port);
  servers.push(server);
  await server.connection.query(`SET GLOBAL server_id = ${String(id)}, SESSION server_id = ${String(id)}`);
  return server;
}

/** As the operation account, which has all that README asks for, except for EVENT at first. */
async function asOperation<T>(port: number, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession({ host: 'db1', address: '127.0.0.1', port, user: 'standfast', password: 'secret' });
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

const rowsOf = async ({ connection }: Oracle, statement: string): Promise<readonly Row[]> =>
  asRows((await connection.query(statement))[0]);

const SWITCHING = 'EXECUTE IMMEDIATE';

/** Before each statement on it something else may be done. */
const before = (session: Session, change: (statement: string) => Promise<unknown>): Session => ({
  host: session.host,
  rows: async (statement, values, deadline) => {
    await change(statement);
    return session.rows(statement, values, deadline);
  },
  close: () => undefined,
});

/** As a person does, and what the session is then. */
const typed = (port: number, statement: string, characters: string): string =>
  execFileSync(
    'mariadb',
    [
      ...['--no-defaults', '--protocol=tcp', '--host=127.0.0.1', `--port=${String(port)}`, '--user=root', '-N'],
      `--default-character-set=${characters}`,
    ],
    { input: `${statement}; SELECT @@character_set_client, HEX('ø')`, encoding: 'utf8' },
  ).trim();

/** All that is stored of the events, except for what says whether and where they run, and when that was changed. */
async function storedBy(server: Oracle): Promise<ReadonlyMap<unknown, Row>> {
  const found = await rowsOf(server, 'SELECT * FROM mysql.event ORDER BY db, name');
  const changes = new Set(['status', 'originator', 'modified', 'created', 'last_executed']);
  return new Map(
    found.map((row) => [row['name'], Object.fromEntries(Object.entries(row).filter(([key]) => !changes.has(key)))]),
  );
}

const statusOn = async (server: Oracle): Promise<Readonly<Record<string, unknown>>> => {
  const found = await rowsOf(server, 'SELECT name, status FROM mysql.event');
  return Object.fromEntries(found.map((row): [string, unknown] => [String(row['name']), row['status']]));
};

const EVERY = 'ON SCHEDULE EVERY 1 DAY STARTS CURRENT_TIMESTAMP + INTERVAL 1 HOUR';

beforeAll(async () => {
  ports = [await freePort(), await freePort()];
  [primary, replica] = [await start(1, ports[0]), await start(2, ports[1])];
  const run = (statements: string) => primary.connection.query(statements);
  const grants = REQUIRED_GRANTS.filter(({ account }) => account === 'operation').map(
    ({ on, privileges }) => `GRANT ${privileges.filter((one) => one !== 'EVENT').join(', ')} ON ${on} TO standfast@'%'`,
  );
  await run(`CREATE USER standfast@'%' IDENTIFIED BY 'secret'; CREATE DATABASE standfast; ${grants.join('; ')};
    CREATE USER repl@'%' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'%';
    CREATE DATABASE shop CHARACTER SET latin1; CREATE DATABASE old CHARACTER SET utf8mb3; CREATE DATABASE moved CHARACTER SET latin1; CREATE ROLE boss;
    CREATE USER 'app'@'10.1.%' IDENTIFIED BY 'x'; CREATE USER \`o\`\`d@d\`@'%' IDENTIFIED BY 'x'`);
  await asOperation(ports[0], async (session) => {
    await run((await missingWriter(session)) ?? '');
  });
  await run(`CREATE EVENT shop.purge ${EVERY} DO DELETE FROM shop.nothing; ALTER EVENT shop.purge DISABLE;
    CREATE EVENT shop.never ${EVERY} DISABLE DO SELECT 1;
    CREATE DEFINER = boss EVENT shop.by_role ${EVERY} DO SELECT 1;
    CREATE DEFINER = gone@nowhere EVENT shop.by_nobody ${EVERY} DO SELECT 1;
    CREATE DEFINER = \`o\`\`d@d\`@'%' EVENT shop.\`ö\`\`€.\` ${EVERY} COMMENT 'ø' DO SELECT '€😀';
    CREATE EVENT moved.moved ${EVERY} DO SELECT 1; ALTER DATABASE moved CHARACTER SET utf8mb4;
    CREATE EVENT shop.plain ${EVERY} DO SELECT 1;
    CREATE EVENT old.oldest ${EVERY} DO SELECT 1;
    CREATE EVENT shop.once ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 DAY ON COMPLETION PRESERVE DO SELECT 1;
    SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', time_zone = '+05:30';
    SET character_set_client = latin1, collation_connection = latin1_german1_ci`);
  // What is sent is latin1 now.
  const latin = Buffer.from(
    `CREATE DEFINER = app@'10.1.%' EVENT shop."nightly å" ${EVERY} DO INSERT INTO shop.t VALUES ("a" || 'é')`,
    'latin1',
  );
  await run(`EXECUTE IMMEDIATE X'${latin.toString('hex')}'`);
  await run(`SET NAMES utf8mb3; CREATE EVENT old.older ${EVERY} DO SELECT 1`);
  await run(
    "SET NAMES utf8mb4; SET sql_mode = DEFAULT, time_zone = DEFAULT; SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'",
  );
  await replica.connection.query(`SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES';
    CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${String(ports[0])}, MASTER_USER = 'repl',
    MASTER_PASSWORD = 'secret', MASTER_USE_GTID = slave_pos; START SLAVE`);
}, 120_000);
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const applied = async (): Promise<void> => {
  const [position = ''] = await primary.row('SELECT @@gtid_binlog_pos');
  expect(await replica.row('SELECT MASTER_GTID_WAIT(?, 20)', [position])).toEqual(['0']);
};

const AGAIN = [
  'old.older',
  'old.oldest',
  'shop.by_nobody',
  'shop.by_role',
  'shop.nightly å',
  'shop.plain',
  'shop.ö`€.',
];

const TYPED = [
  ['shop.plain', 'utf8mb4'],
  ['shop.nightly å', 'latin1'],
  ['shop.ö`€.', 'utf8mb4'],
] as const;

it('events run on whoever takes the place of their primary as they were, and those that a person disabled do not', async () => {
  // On a primary that is taken into care: what is enabled is noted there.
  expect(await asOperation(ports[0], runEvents)).toEqual({ enabled: [], disabled: [], leftOff: [] });
  await primary.connection.query('ALTER EVENT shop.once ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 SECOND');
  await until('the event that runs once', async () => (await statusOn(primary))['once'] === 'DISABLED' || undefined);
  await applied();
  expect(new Set(Object.values(await statusOn(replica)))).toEqual(new Set(['SLAVESIDE_DISABLED']));
  await replica.connection.query('STOP SLAVE; RESET SLAVE ALL');
  const asStored = await storedBy(replica);

  const denied = await asOperation(ports[1], runEvents);
  expect(denied).toMatchObject({ enabled: [], disabled: ['shop.never', 'shop.purge'] });
  expect(denied.leftOff.map(({ event }) => event).sort()).toEqual(['moved.moved', 'shop.once', ...AGAIN].sort());
  expect(denied.leftOff.find(({ event }) => event === 'shop.once')?.why).toContain('carried out once');
  const plain = denied.leftOff.find(({ event }) => event === 'shop.plain');
  expect(plain?.why).toMatch(/Access denied/);
  expect(new Set(Object.values(await statusOn(replica)))).toEqual(new Set(['SLAVESIDE_DISABLED']));
  expect(await replica.row('SELECT @@event_scheduler')).toEqual(['ON']);

  // What a person is told to run does the same, whatever is in the names and whatever the terminal is like.
  for (const [event, characters] of TYPED) {
    const { statement = '' } = denied.leftOff.find((one) => one.event === event) ?? {};
    expect(typed(ports[1], statement, characters)).toBe('utf8mb4\tC3B8');
    expect((await statusOn(replica))[event.slice('shop.'.length)]).toBe('ENABLED');
  }
  expect(await storedBy(replica)).toEqual(asStored);

  // As servers before 10.6 stored them, and those before that.
  await replica.connection
    .query(`UPDATE mysql.event SET db_collation = 'utf8_general_ci', character_set_client = 'utf8',
    collation_connection = 'utf8_general_ci' WHERE name = 'older';
    UPDATE mysql.event SET db_collation = NULL WHERE name = 'oldest'`);
  expect(OPERATION_PRIVILEGES).toContain('EVENT');
  await replica.connection.query("GRANT EVENT ON *.* TO standfast@'%'");
  const report = await asOperation(ports[1], async (session) => {
    const done = await runEvents(session);
    // The session goes on to be used for whatever comes.
    expect(await session.rows("SELECT @@character_set_client AS characters, 'ø' AS letter")).toEqual([
      { characters: 'utf8mb4', letter: 'ø' },
    ]);
    return done;
  });
  expect([...report.enabled].sort()).toEqual(AGAIN.filter((name) => !TYPED.some(([event]) => event === name)));
  expect(report.disabled).toEqual(['shop.never', 'shop.purge']);
  expect(report.leftOff.map(({ event, why }) => [event, why])).toEqual([
    ['shop.once', expect.stringContaining('an instant that has passed')],
    ['moved.moved', expect.stringContaining('utf8mb4_general_ci')],
  ]);
  // `utf8` is the name of before: what is switched on is stored with that of now.
  expect(await storedBy(replica)).toEqual(asStored);
  const off = Object.entries(await statusOn(replica)).filter(([, status]) => status !== 'ENABLED');
  expect(off.map(([name]) => name).sort()).toEqual(['moved', 'never', 'once', 'purge']);
  expect((await asOperation(ports[1], runEvents)).enabled).toEqual([]);
});

it('of those that are switched on each is read again alone, at once, whatever is in its name', async () => {
  const names = [String.raw`shop.it\'s "\\" %`, 'shop.ö`€.', 'shop.by_role'];
  await replica.connection.query(`CREATE EVENT shop.\`it\\'s "\\\\" %\` ${EVERY} DO SELECT 1`);
  await asOperation(ports[1], noteEvents);
  await replica.connection.query(`ALTER EVENT shop.\`it\\'s "\\\\" %\` DISABLE ON SLAVE;
    ALTER DEFINER = \`o\`\`d@d\`@'%' EVENT shop.\`ö\`\`€.\` DISABLE ON SLAVE; ALTER DEFINER = boss EVENT shop.by_role DISABLE ON SLAVE`);
  const asked: string[] = [];
  const report = await asOperation(ports[1], async (session) =>
    runEvents(
      before(session, (statement) => {
        if (statement.startsWith(SWITCHING)) asked.push('switch');
        else if (statement.includes('FROM mysql.event')) asked.push(statement.includes('WHERE') ? 'one' : 'all');
        return Promise.resolve();
      }),
    ),
  );
  expect([...report.enabled].sort()).toEqual(names.toSorted());
  expect(report.leftOff.filter(({ event }) => names.includes(event))).toEqual([]);
  expect(asked).toEqual(['all', ...names.flatMap(() => ['switch', 'one']), 'all']);
});

it('what is put in the place of an event meanwhile does not run as its definer', async () => {
  await replica.connection.query('ALTER EVENT shop.plain DISABLE ON SLAVE');
  const putThere = `DROP EVENT shop.plain; CREATE DEFINER = app@'10.1.%' EVENT shop.plain ${EVERY} DO SELECT 2`;
  let isThere = false;
  const report = await asOperation(ports[1], async (session) =>
    runEvents(
      before(session, async (statement) => {
        if (!statement.startsWith(SWITCHING) || isThere) return;
        await replica.connection.query(putThere);
        isThere = true;
      }),
    ),
  );
  expect(report.enabled).toEqual([]);
  expect(report.leftOff.find(({ event }) => event === 'shop.plain')?.why).toContain('made it anew');
  expect((await statusOn(replica))['plain']).toBe('DISABLED');
});

it('a connection that dies in the middle is told as that, and nothing is put right on it', async () => {
  await replica.connection.query('ALTER EVENT shop.by_role DISABLE ON SLAVE');
  const asked: string[] = [];
  const run = (session: Session) =>
    runEvents(
      before(session, async (statement) => {
        asked.push(statement.slice(0, SWITCHING.length));
        if (!statement.startsWith(SWITCHING)) return;
        const [row] = await session.rows('SELECT CONNECTION_ID() AS id');
        await replica.connection.query(`KILL HARD CONNECTION ${String(row?.['id'])}`);
      }),
    );
  await expect(asOperation(ports[1], run)).rejects.toThrow(/a statement failed/);
  expect(asked.at(-1)).toBe(SWITCHING);
});

it('neither SUPER without EVENT nor EVENT without SUPER switches on what belongs to somebody else', async () => {
  await primary.connection.query(
    `ALTER DEFINER = app@'10.1.%' EVENT shop.plain DISABLE ON SLAVE; REVOKE SUPER ON *.* FROM standfast@'%'`,
  );
  const enable = async () =>
    asOperation(ports[0], async (session) =>
      session.rows("ALTER DEFINER = app@'10.1.%' EVENT shop.plain ENABLE").then(
        () => 'done',
        (error: unknown) => String(error),
      ),
    );
  expect(await enable()).toMatch(/SUPER, SET USER/);
  await primary.connection.query("GRANT SUPER ON *.* TO standfast@'%'; REVOKE EVENT ON *.* FROM standfast@'%'");
  expect(await enable()).toMatch(/Access denied/);
  await primary.connection.query("GRANT EVENT ON *.* TO standfast@'%'");
  expect(await enable()).toBe('done');
});

it('nothing is noted, and no event run, on a server that is closed, by an account that may write there', async () => {
  await asOperation(ports[0], runEvents);
  const position = () => primary.row('SELECT @@gtid_binlog_pos');
  await primary.connection.query('DROP EVENT shop.by_nobody; SET GLOBAL event_scheduler = OFF, read_only = 1');
  const closed = await position();
  const refused: unknown = await asOperation(ports[0], noteEvents).catch((error: unknown) => error);
  expect(refused).toMatchObject({ facts: { errno: 1290 } });
  expect(await asOperation(ports[0], runEvents)).toMatchObject({ enabled: [], fault: expect.anything() as unknown });
  expect(await position()).toEqual(closed);
  expect(await primary.row('SELECT @@event_scheduler')).toEqual(['OFF']);
  await primary.connection.query('SET GLOBAL read_only = 0');
  await asOperation(ports[0], noteEvents);
  const noted = await position();
  expect(noted).not.toEqual(closed);
  // It has not changed since.
  await asOperation(ports[0], noteEvents);
  expect(await position()).toEqual(noted);
});
