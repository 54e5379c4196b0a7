import mysql from 'mysql2';
import { obey } from './child.ts';
import type { Looked, Told } from './looks.ts';
import { membersOf } from './members.ts';

export interface FloorWork {
  readonly clusters: number;
  readonly port: number;
  readonly password: string;
  readonly periodMs: number;
  /** What every host of a role is asked once a period. */
  readonly asks: Looked['usual'];
}

export interface FloorOrders {
  readonly [name: string]: (...asked: never[]) => unknown;
  /** Ends when every host has been connected to. */
  readonly start: (work: FloorWork) => Promise<void>;
}

/** Connections that are made at a time. */
const AT_ONCE = 50;

/**
 * The least that can be coded by hand: an open connection to every server, the same statements at the same period, spread over it; the answers are parsed and not
 * looked at. No host is asked over SSH, nothing is judged, nothing is told.
 */
async function probe({ clusters, port, password, periodMs, asks }: FloorWork): Promise<void> {
  const members = membersOf(clusters);
  const waiting = members.entries();
  const connectNext = async (): Promise<void> => {
    for (const [place, { address, role }] of waiting) {
      const login = { host: address, port, user: 'standfast', password };
      const connection = mysql.createConnection({ ...login, maxPreparedStatements: 1 });
      connection.on('error', fail);
      await new Promise((resolve) => {
        connection.connect(resolve);
      });
      const texts = asks.filter((one) => one.role === role).map((one) => one.text);
      setTimeout(askEvery, (place / members.length) * periodMs, connection, texts, periodMs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, connectNext));
}

function askEvery(connection: mysql.Connection, texts: readonly Told['text'][], periodMs: number): void {
  setInterval(() => {
    for (const text of texts) connection.query(text, onAnswer);
  }, periodMs);
}

const onAnswer = (error: Error | null): void => {
  if (error !== null) fail(error);
};

function fail(error: Error): never {
  throw error;
}

const orders: FloorOrders = { start: probe };
obey(orders);
