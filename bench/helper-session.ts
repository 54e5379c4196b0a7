import type { ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Lab } from '../lab/lab.ts';

/** A channel to the host helper from the worker's place, as the worker has one open: over SSH, one request a line (docs/host-helper.md). */
export class HelperSession {
  readonly #host: string;
  readonly #process: ChildProcess;
  readonly #said: Interface;
  readonly #ended: Promise<null>;

  constructor(lab: Lab, host: string) {
    this.#host = host;
    const options = {
      BatchMode: 'yes',
      IdentitiesOnly: 'yes',
      UserKnownHostsFile: lab.etc('known_hosts'),
      GlobalKnownHostsFile: '/dev/null',
      Ciphers: 'aes128-gcm@openssh.com',
    };
    const list = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const place = `standfast@${lab.host(host).address}`;
    this.#process = lab.control.spawn(
      [
        'ssh',
        '-F',
        '/dev/null',
        '-T',
        '-i',
        lab.etc('ssh_key'),
        ...list,
        place,
        'sudo -n /usr/local/sbin/standfast-host serve',
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#said = createInterface({ input: this.#process.stdout ?? process.stdin });
    this.#ended = new Promise((resolve) =>
      this.#process.once('close', () => {
        resolve(null);
      }),
    );
  }

  /** @throws Error with the answer, when it is a refusal, or there is none */
  async order(verb: string, args: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
    const answered = new Promise<string>((resolve) => this.#said.once('line', resolve));
    this.#process.stdin?.write(`${['1', verb, ...Object.entries(args).map((pair) => pair.join('='))].join('\t')}\n`);
    const line = await Promise.race([answered, this.#ended]);
    if (line === null) throw new Error(`the helper of ${this.#host} ended before it answered ${verb}`);
    const [, outcome, ...fields] = line.split('\t');
    if (outcome !== 'ok') throw new Error(`${verb} on ${this.#host}: ${line}`);
    return Object.fromEntries(fields.map((field) => field.split('=', 2) as [string, string]));
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
