import { createInterface } from 'node:readline';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';

/** What the bench tells this process in one line. */
export interface TruthOrder {
  readonly vip: string;
  readonly replica: string;
  readonly user: string;
  readonly password: string;
  /** Of the heartbeat that is coded by hand. */
  readonly heartbeatMs: number;
}

/** One line of output, every 5 ms. Milliseconds. */
export interface Truth {
  /** Since 1970, in the middle of the look. */
  readonly atMs: number;
  /** Since the oldest row was committed that the replica did not show. */
  readonly lagMs: number;
  /** How far that can be wrong: a look takes time, and rows are apart. */
  readonly errorMs: number;
  /** What a heartbeat that is coded by hand says: now minus what stands in its row. */
  readonly byHandMs: number;
}

const LOOK_EVERY_MS = 5;
const WRITE_EVERY_MS = 2;

const now = (): number => performance.timeOrigin + performance.now();
const pauseUntil = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - now())));

/** When row N was committed, at N. */
const committed: number[] = [];

async function write(connection: Connection): Promise<never> {
  for (;;) {
    const startedMs = now();
    await connection.query('INSERT INTO ledger.truth (id) VALUES (?)', [committed.length]);
    committed.push(now());
    await pauseUntil(startedMs + WRITE_EVERY_MS);
  }
}

async function beat(connection: Connection, everyMs: number): Promise<never> {
  for (;;) {
    const startedMs = now();
    await connection.query('REPLACE INTO ledger.by_hand (id, written) VALUES (1, ?)', [startedMs]);
    await pauseUntil(startedMs + everyMs);
  }
}

async function look(connection: Connection): Promise<never> {
  for (;;) {
    const startedMs = now();
    const [[row]] = await connection.query<RowDataPacket[]>(
      'SELECT (SELECT MAX(id) FROM ledger.truth) AS id, (SELECT written FROM ledger.by_hand) AS written',
    );
    const endedMs = now();
    const atMs = (startedMs + endedMs) / 2;
    const missing = committed[Number(row?.['id']) + 1];
    const truth: Truth = {
      atMs,
      lagMs: missing === undefined ? 0 : Math.max(0, atMs - missing),
      errorMs: (endedMs - startedMs) / 2 + (committed.at(-1) ?? 0) - (committed.at(-2) ?? 0),
      byHandMs: atMs - Number(row?.['written']),
    };
    process.stdout.write(`${JSON.stringify(truth)}\n`);
    await pauseUntil(startedMs + LOOK_EVERY_MS);
  }
}

async function begin({ vip, replica, user, password, heartbeatMs }: TruthOrder): Promise<never> {
  const open = (host: string): Promise<Connection> => mysql.createConnection({ host, port: 3306, user, password });
  const [writer, beater, looker] = await Promise.all([open(vip), open(vip), open(replica)]);
  await writer.query('CREATE TABLE IF NOT EXISTS ledger.truth (id BIGINT PRIMARY KEY)');
  await writer.query('CREATE TABLE IF NOT EXISTS ledger.by_hand (id INT PRIMARY KEY, written DOUBLE NOT NULL)');
  await writer.query('DELETE FROM ledger.truth');
  await writer.query('REPLACE INTO ledger.by_hand (id, written) VALUES (1, ?)', [now()]);
  await writer.query('INSERT INTO ledger.truth (id) VALUES (0)');
  committed.push(now());
  await arrived(looker);
  return Promise.race([write(writer), beat(beater, heartbeatMs), look(looker)]);
}

/** A replica that does not have the tables yet, or the rows of an earlier time, would make the first looks fail. */
async function arrived(looker: Connection): Promise<void> {
  for (;;) {
    const [[row]] = await looker.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS tables FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'ledger' AND TABLE_NAME IN ('truth', 'by_hand')",
    );
    if (Number(row?.['tables']) === 2) {
      const [[rows]] = await looker.query<RowDataPacket[]>('SELECT COUNT(*) AS rows_there FROM ledger.truth');
      if (Number(rows?.['rows_there']) === 1) return;
    }
    await pauseUntil(now() + LOOK_EVERY_MS);
  }
}

const line = await new Promise<string>((resolve) => {
  createInterface({ input: process.stdin }).once('line', resolve);
});
process.stdin.on('end', () => process.exit(0));
await begin(JSON.parse(line) as TruthOrder);
