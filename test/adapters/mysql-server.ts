import { once } from 'node:events';
import type { Server } from 'node:net';
import { promisify } from 'node:util';
import mysql from 'mysql2';

/** The server's side of one session, as far as these tests speak. */
export interface ServerSession {
  readonly id: number;
  ok(): void;
  rows(rows: readonly Readonly<Record<string, unknown>>[]): void;
  /** Ends the connection, as a KILL does. */
  cut(): void;
}

interface Wire {
  sequenceId: number;
  on(event: string, listener: (text: string) => void): void;
  serverHandshake(greeting: object): void;
  writeOk(answer: object): void;
  writeError(error: { readonly code: number; readonly message: string }): void;
  writeTextResult(rows: unknown, columns: unknown): void;
  readonly stream: { destroy(): void };
}

export interface Behaviour {
  /** Sent instead of a greeting. */
  readonly refusal?: { readonly code: number; readonly message: string };
  /** Answers one statement; or does not. */
  readonly says?: (session: ServerSession, statement: string) => void;
}

const NUMBER = { catalog: 'def', schema: '', table: '', orgTable: '', orgName: '', characterSet: 63 };
const GREETING = { protocolVersion: 10, serverVersion: '10.11.19-MariaDB', statusFlags: 2, characterSet: 33 };
/** Everything but TLS and compression. */
const CAPABILITIES = 0xffffff ^ 0x800 ^ 0x20;

/** A server that speaks the MySQL protocol and does what a test wants of it. */
export class MysqlServer {
  readonly port: number;
  readonly #net: Server;

  private constructor(net: Server) {
    this.port = (net.address() as { port: number }).port;
    this.#net = net;
  }

  static async start({
    refusal,
    says = (session) => {
      session.ok();
    },
  }: Behaviour): Promise<MysqlServer> {
    let sessions = 0;
    const server = mysql.createServer((connection: unknown) => {
      const wire = connection as Wire;
      wire.on('error', () => undefined); // a client that hangs up is part of these tests
      if (refusal !== undefined) {
        wire.writeError(refusal);
        return;
      }
      sessions += 1;
      const session = sessionOver(wire, sessions);
      wire.serverHandshake({
        ...{ ...GREETING, connectionId: sessions, capabilityFlags: CAPABILITIES },
        authCallback: (_: unknown, letIn: (error: null) => void) => {
          letIn(null);
          wire.sequenceId = 0; // the next command begins a conversation of its own
        },
      });
      // mysql2 takes SET for the preparation of a statement.
      for (const event of ['query', 'stmt_prepare'])
        wire.on(event, (statement) => {
          says(session, statement);
        });
    });
    const net = (server as unknown as { readonly _server: Server })._server;
    net.listen(0, '127.0.0.1');
    await once(net, 'listening');
    return new MysqlServer(net);
  }

  /** Of clients, open now. */
  connections(): Promise<number> {
    return promisify(this.#net.getConnections.bind(this.#net))();
  }

  stop(): void {
    this.#net.close();
  }
}

const sessionOver = (wire: Wire, id: number): ServerSession => ({
  id,
  ok: () => {
    wire.writeOk({ affectedRows: 0 });
    wire.sequenceId = 0;
  },
  rows: (rows) => {
    const names = Object.keys(rows[0] ?? { none: 0 });
    const columns = names.map((name) => ({ ...NUMBER, name, columnLength: 11, columnType: 3, flags: 0, decimals: 0 }));
    wire.writeTextResult(rows, columns);
    wire.sequenceId = 0;
  },
  cut: () => {
    wire.stream.destroy();
  },
});
