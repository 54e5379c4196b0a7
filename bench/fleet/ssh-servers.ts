import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { Connection, PublicKeyAuthContext, ServerChannel } from 'ssh2';
import ssh2 from 'ssh2';
import type { Fleet } from './fleet-state.ts';
import { helperAnswer } from './helper-answers.ts';

const HELPER_COMMAND = 'sudo -n /usr/local/sbin/standfast-host serve';

/** One in some hundreds that the driver makes is malformed, and it refuses that itself. */
export function freshKey(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** The sshd and the host helper of every host; each shows a key of its own. */
export class SshServers {
  /** In the order of the members. */
  readonly all: readonly Server[];
  /** What known_hosts says of each host, in the order of the members. */
  readonly hostKeys: readonly string[];
  readonly #fleet: Fleet;
  readonly #userKey: ssh2.ParsedKey;

  /** @param userKey the public key that may log in, in OpenSSH's format */
  constructor(fleet: Fleet, userKey: string) {
    this.#fleet = fleet;
    const parsed = ssh2.utils.parseKey(userKey);
    if (parsed instanceof Error) throw parsed;
    this.#userKey = parsed;
    const keys = fleet.members.map(freshKey);
    this.hostKeys = keys.map((pair) => pair.public.trim());
    this.all = keys.map((pair, place) => {
      const sshd = new ssh2.Server({ hostKeys: [pair.private] }, (client) => {
        this.#serve(client, place);
      });
      return createServer({ noDelay: true }, (socket) => {
        sshd.injectSocket(socket);
      });
    });
  }

  #serve(client: Connection, place: number): void {
    client.on('error', () => undefined); // the watcher hangs up at the end
    client.on('authentication', (context) => {
      if (context.method === 'publickey' && this.#isUser(context)) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec, rejectExec, { command }) => {
        if (command === HELPER_COMMAND) this.#help(acceptExec(), place);
        else rejectExec();
      });
    });
  }

  #isUser({ key, blob, signature, hashAlgo }: PublicKeyAuthContext): boolean {
    const expected = this.#userKey.getPublicSSH();
    if (key.algo !== this.#userKey.type || !key.data.equals(expected)) return false;
    return signature === undefined || (blob !== undefined && this.#userKey.verify(blob, signature, hashAlgo));
  }

  #help(channel: ServerChannel, place: number): void {
    const member = this.#fleet.member(place);
    let received = '';
    channel.setEncoding('utf8');
    channel.on('data', (text: string) => {
      const lines = (received + text).split('\n');
      received = lines.pop() ?? '';
      for (const line of lines) {
        const said = helperAnswer(line, member, this.#fleet.serves(member.address));
        this.#fleet.looks.requested(performance.now());
        if (!said.isKnown) this.#fleet.looks.notKnown(`the verb ${said.verb} of the host helper`);
        channel.write(said.line);
      }
    });
    channel.on('end', () => {
      channel.end();
    });
  }
}
