import type { HostName } from '../../../domain/cluster.ts';
import type { Silence } from '../../../domain/observation.ts';
import type { Deadline, Row, Session } from '../../../adapters/ports.ts';
import { AdapterFailure } from '../../../adapters/ports.ts';
import { addressOf } from './address.ts';
import type { Database } from './database.ts';
import { SqlError } from './database.ts';
import type { SimulatedShop } from './shop.ts';
import { runStatement } from './statements.ts';

const STATEMENT_MS = 5_000;
const CONNECT_MS = 2_000;

export const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const silent = (host: HostName, silence: Silence, message: string): AdapterFailure =>
  new AdapterFailure({ type: 'Unreachable', host, silence, message: `${host}: ${message}` });

/** Opens a session as the adapter does: each way of not answering has its name, and takes its time. */
export async function openSimulated(
  shop: SimulatedShop,
  host: HostName,
  deadline: Deadline = {},
): Promise<SimulatedSession> {
  const database = shop.database(host);
  const timeoutMs = deadline.timeoutMs ?? CONNECT_MS;
  await pass(1);
  await shop.reached('before', `${host} connect`);
  if (!shop.isReachable(host)) {
    await pass(timeoutMs);
    throw silent(host, 'silent', 'connecting failed (connect ETIMEDOUT)');
  }
  if (shop.refusesWatcher && database.keepsClientsOut) throw silent(host, 'refused', 'connection refused');
  if (database.process === 'stopped' || database.isPortShut) throw silent(host, 'refused', 'connection refused');
  if (!(await greets(database, timeoutMs))) throw silent(host, 'hung', 'accepts connections and greets nobody');
  if (database.isOverfull) throw silent(host, 'full', 'connecting failed (full)');
  if (database.reach !== 'answers') throw silent(host, database.reach, `connecting failed (${database.reach})`);
  return new SimulatedSession(shop, database);
}

/** A process that goes on greets whoever waits in its queue. */
async function greets(database: Database, timeoutMs: number): Promise<boolean> {
  const endsMs = performance.now() + timeoutMs;
  while (database.process === 'hung' && performance.now() < endsMs) await pass(1);
  return database.process !== 'hung';
}

/** One session: it never reconnects, and once killed every statement on it fails. */
export class SimulatedSession implements Session {
  readonly host: HostName;
  readonly #shop: SimulatedShop;
  readonly #database: Database;
  readonly #killed: Promise<never>;
  #kill: (reason: Error) => void = () => undefined;
  #isKilled = false;
  /** For whoever holds it while nothing is asked on it. */
  onKilled: () => void = () => undefined;

  constructor(shop: SimulatedShop, database: Database) {
    this.host = database.host.name;
    this.#shop = shop;
    this.#database = database;
    this.#killed = new Promise((_, reject) => (this.#kill = reject));
    this.#killed.catch(() => undefined); // whoever has a statement on it hears of it there
    shop.sessions.add(this);
  }

  kill(): void {
    this.#isKilled = true;
    this.#shop.sessions.delete(this);
    this.#kill(silent(this.host, 'lost', 'a statement failed (the connection was killed)'));
    this.onKilled();
  }

  close(): void {
    this.#shop.sessions.delete(this);
  }

  rows(statement: string, values: readonly unknown[] = [], deadline: Deadline = {}): Promise<readonly Row[]> {
    return Promise.race([this.#run(statement, values, deadline.timeoutMs ?? STATEMENT_MS), this.#killed]);
  }

  async #run(statement: string, values: readonly unknown[], timeoutMs: number): Promise<readonly Row[]> {
    const label = `${this.host} sql ${statement.replace(/\s+/g, ' ')}`;
    await pass(1);
    await this.#shop.reached('before', label);
    if (this.#isKilled) return this.#killed;
    if (!this.#shop.isReachable(this.host) || this.#database.process === 'hung') {
      await pass(timeoutMs);
      throw silent(this.host, 'silent', `no answer within ${String(timeoutMs)} ms`);
    }
    this.#shop.move();
    const rows = this.#database.deafTo?.test(statement) === true ? [] : await this.#carryOut(statement, values);
    if (!/^\s*(SELECT|SHOW|SET SESSION)/.test(statement)) this.#shop.log.push(label);
    this.#shop.move();
    await this.#shop.reached('after', label);
    return rows;
  }

  async #carryOut(statement: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await runStatement(statement, { database: this.#database, world: this.#world(), values });
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const message = `${this.host}: ${error.message}`;
      throw new AdapterFailure({
        type: 'Unverified',
        host: this.host,
        facts: { errno: parseInt(error.message) },
        message,
      });
    }
  }

  #world() {
    const shop = this.#shop;
    return {
      hostAt: (address: string): HostName =>
        shop.description.hosts.find((one) => addressOf(one.name) === address)?.name ?? address,
      addressOf,
      clientAddressOf: (host: HostName): string => shop.clientAddressOf(host),
      disconnect: (source: Database, serverId: number) => {
        for (const { host, channel } of shop.databases.values())
          if (host.serverId === serverId && channel?.source === source.host.name && channel.receiver === 'running')
            channel.receiver = 'connecting';
      },
      move: async () => {
        await pass(1);
        shop.move();
      },
      acknowledged: async (database: Database, gtid: string) => {
        const endsAt = performance.now() + STATEMENT_MS;
        shop.move();
        while (database.pending.has(gtid)) {
          if (performance.now() > endsAt) throw silent(this.host, 'silent', 'the commit was not acknowledged in time');
          await pass(10);
          shop.move();
        }
      },
    };
  }
}
