import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How an administrator reaches hosts that have no host helper yet; what is left out is as their own ssh configuration says. */
export interface PlainSshAccess {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly keyFile?: string | undefined;
  readonly knownHostsFile?: string | undefined;
}

export interface RemoteResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `ssh` did not get there; nothing ran on the host. */
export class PlainSshError extends Error {
  override readonly name = 'PlainSshError';
}

const CONNECT_SECONDS = 5;
const COMMAND_MS = 20_000;
/** Should this process die, its connections end soon after. */
const PERSIST_SECONDS = 30;
const LONGEST_OUTPUT = 8 * 1024 * 1024;
/** Of ssh itself. Source: ssh(1), EXIT STATUS. */
const NOT_REACHED = 255;
/** ssh would take anything else for an option, or a place in another user's name. */
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/**
 * Runs programs on hosts by the `ssh` of this machine, and with what is configured for it: agent, keys, pinned host keys. It asks nothing, and accepts no unknown key.
 * One connection to each host carries them all; its socket is in a folder that nobody else may enter.
 */
export class PlainSsh {
  readonly #access: PlainSshAccess;
  readonly #folder: string;
  readonly #connected = new Set<string>();

  private constructor(access: PlainSshAccess, folder: string) {
    this.#access = access;
    this.#folder = folder;
  }

  static async open(access: PlainSshAccess): Promise<PlainSsh> {
    return new PlainSsh(access, await mkdtemp(path.join(tmpdir(), 'standfast-ssh-')));
  }

  /**
   * @param argv  reaches the program word for word, whatever is in it
   * @throws PlainSshError
   */
  async run(host: string, argv: readonly string[]): Promise<RemoteResult> {
    if (!HOST.test(host)) throw new PlainSshError(`"${host}" is not the name or the address of a host`);
    // The protocol carries one text, which the login shell of the other side takes apart again.
    const result = await start([...this.#options(), '--', host, argv.map(quoted).join(' ')]);
    if (result === null) throw new PlainSshError(`${host} gave no answer to ssh in time`);
    const said = result.stderr.trim().split('\n').at(-1) ?? '';
    if (result.exitCode === NOT_REACHED) throw new PlainSshError(`${host} cannot be reached by ssh: ${said}`);
    this.#connected.add(host);
    return result;
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#connected].map((host) => start([...this.#options(), '-O', 'exit', '--', host])));
    await rm(this.#folder, { recursive: true });
  }

  #options(): readonly string[] {
    const { user, port, keyFile, knownHostsFile } = this.#access;
    return [
      ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', `ConnectTimeout=${String(CONNECT_SECONDS)}`],
      ...['-o', 'ControlMaster=auto', '-o', `ControlPath=${this.#folder}/%C`],
      ...['-o', `ControlPersist=${String(PERSIST_SECONDS)}`],
      ...(knownHostsFile === undefined ? [] : ['-o', `UserKnownHostsFile=${knownHostsFile}`]),
      ...(keyFile === undefined ? [] : ['-i', keyFile, '-o', 'IdentitiesOnly=yes']),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(user === undefined ? [] : ['-l', user]),
    ];
  }
}

/** Null: it did not end in time. */
function start(args: readonly string[]): Promise<RemoteResult | null> {
  return new Promise((resolve, reject) => {
    execFile('ssh', args, { timeout: COMMAND_MS, maxBuffer: LONGEST_OUTPUT }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ exitCode: code, stdout, stderr });
      else if (error?.killed === true) resolve(null);
      else reject(new PlainSshError(`ssh of this machine cannot be run: ${error?.message ?? ''}`));
    });
  });
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
