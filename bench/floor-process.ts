import { createInterface } from 'node:readline';
import mysql from 'mysql2/promise';

/** What the bench tells this process in one line. */
export interface FloorOrder {
  readonly primary: string;
  readonly winner: string;
  readonly user: string;
  readonly password: string;
  /** A connection that says nothing for so long is dead. */
  readonly silenceMs: number;
}

const PROBE_EVERY_MS = 20;

/**
 * The fastest failover that can be written by hand: two open connections, no checks, nothing durable. As soon as the one to the primary ends, or a probe on it gets no
 * answer, the replica is opened; the bench moves the VIP when this says so.
 */
async function failOverOnce(order: FloorOrder): Promise<void> {
  const { primary, winner, user, password } = order;
  const open = (host: string) => mysql.createConnection({ host, port: 3306, user, password });
  const [watched, candidate] = await Promise.all([open(primary), open(winner)]);
  const lost = new Promise<void>((resolve) => {
    watched.on('error', () => {
      resolve();
    });
    watched.on('end', () => {
      resolve();
    });
  });
  process.stdout.write('ready\n');
  await Promise.race([lost, silent(watched, order.silenceMs)]);
  process.stdout.write('dead\n');
  await candidate.query('STOP SLAVE');
  await candidate.query('SET GLOBAL read_only=0');
  process.stdout.write('open\n');
}

/** Also when the connection ends while it is asked: then nobody but the question hears of it. */
async function silent(watched: mysql.Connection, silenceMs: number): Promise<void> {
  for (;;) {
    const answered = watched.query('SELECT 1').then(
      () => true,
      () => false,
    );
    const late = new Promise<false>((resolve) => setTimeout(resolve, silenceMs, false));
    if (!(await Promise.race([answered, late]))) return;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
}

const line = await new Promise<string>((resolve) => {
  createInterface({ input: process.stdin }).once('line', resolve);
});
await failOverOnce(JSON.parse(line) as FloorOrder);
process.exit(0);
