import type { Server, Socket } from 'node:net';
import mysql from 'mysql2';
import type { Fleet } from './fleet-state.ts';
import { answerTo } from './statements.ts';

/** The server's side of a connection of mysql2, which its types leave out. */
interface Wire {
  sequenceId: number;
  on(event: string, listener: (text: string) => void): void;
  serverHandshake(greeting: object): void;
  readonly stream: Socket;
  _statements: Map<string, unknown>;
}

const GREETING = { protocolVersion: 10, serverVersion: '10.11.19-MariaDB', statusFlags: 2, characterSet: 33 };
/** Everything but TLS and compression. */
const CAPABILITIES = 0xffffff ^ 0x800 ^ 0x20;

/** The database server of one host. */
export function sqlServer(fleet: Fleet, place: number): Server {
  let connections = 0;
  const server = mysql.createServer((connection: unknown) => {
    const wire = connection as Wire;
    wire.on('error', () => undefined); // the watcher hangs up at the end
    // Half a megabyte for prepared statements, which a server of mysql2 has no setting for: for thousands of clients that is all the memory there is.
    wire._statements = new Map();
    wire.stream.setNoDelay(true);
    fleet.admit(place, wire.stream);
    connections += 1;
    wire.serverHandshake({
      ...{ ...GREETING, connectionId: connections, capabilityFlags: CAPABILITIES },
      authCallback: (_: unknown, letIn: (error: null) => void) => {
        letIn(null);
        wire.sequenceId = 0; // the next command begins a conversation of its own
      },
    });
    // mysql2 takes SET for the preparation of a statement.
    for (const event of ['query', 'stmt_prepare'])
      wire.on(event, (text) => {
        const said = answerTo(text, fleet.standing(place));
        fleet.note(place, text, said);
        wire.stream.write(said.answer);
        wire.sequenceId = 0;
      });
  });
  return (server as unknown as { readonly _server: Server })._server;
}
