import type { HostName } from '../../../domain/cluster.ts';
import type { LookDeadline, Pulse, Row } from '../../../adapters/ports.ts';
import type { SimulatedSession } from './session.ts';
import { openSimulated } from './session.ts';
import type { SimulatedShop } from './shop.ts';

/** A lasting connection to a simulated server. Every look, also one that does not get as far as a connection, is in `shop.looks`. */
export class SimulatedPulse implements Pulse {
  readonly host: HostName;
  readonly #shop: SimulatedShop;
  readonly #listeners: (() => void)[] = [];
  #session: SimulatedSession | null = null;
  #connections = 0;

  constructor(shop: SimulatedShop, host: HostName) {
    this.#shop = shop;
    this.host = host;
  }

  get connections(): number {
    return this.#connections;
  }

  async rows(statement: string, { timeoutMs }: LookDeadline): Promise<readonly Row[]> {
    this.#shop.looks.push({ host: this.host, atMs: performance.now() });
    const session = this.#session ?? (await this.#connect(timeoutMs));
    return session.rows(statement, [], { timeoutMs });
  }

  onLost(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#listeners.length = 0;
    this.#session?.close();
    this.#session = null;
  }

  async #connect(timeoutMs: number): Promise<SimulatedSession> {
    const session = await openSimulated(this.#shop, this.host, { timeoutMs });
    this.#session = session;
    this.#connections += 1;
    session.onKilled = () => {
      if (this.#session === session) this.#session = null;
      for (const listener of this.#listeners) listener();
    };
    return session;
  }
}
