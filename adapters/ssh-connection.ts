import type { CipherAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import ssh2 from 'ssh2';
import { RunningDeadline } from './deadline.ts';
import type { HelperAnswer } from './helper-wire.ts';
import { HELPER_PROTOCOL } from './helper-wire.ts';
import type { HostKeyVerdict, KnownHostEntry } from './known-hosts.ts';
import { judgeHostKey, pinnedKeyTypes } from './known-hosts.ts';
import { AdapterFailure } from './ports.ts';
import { HelperChannel } from './ssh-channel.ts';
import type { SshPlace } from './ssh-failure.ts';
import { reasonOf, SshFailure } from './ssh-failure.ts';

export interface SshLogin {
  readonly place: SshPlace;
  readonly user: string;
  readonly privateKey: string;
  readonly knownHosts: readonly KnownHostEntry[];
  readonly connectTimeoutMs: number;
  readonly command: string;
}

// AES-GCM has hardware behind it on every server of today; the rest is for hosts that do not offer it.
const CIPHERS: CipherAlgorithm[] = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes256-ctr'];

/**
 * The other side has as long for its answer. The driver asks whatever else goes over the connection; over each one of thousands the watcher asks something every 5 s, which
 * tells as well whether it lives.
 */
const KEEPALIVE = { keepaliveInterval: 6_000, keepaliveCountMax: 1 };

const SIGNATURES: Readonly<Record<string, readonly string[]>> = { 'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'] };

/** Asking only for pinned types keeps a host with several keys from showing one that nobody pinned. */
function hostKeyAlgorithms({ knownHosts, place }: SshLogin): ServerHostKeyAlgorithm[] {
  const types = pinnedKeyTypes(knownHosts, place.address, place.port);
  return types.flatMap((type) => SIGNATURES[type] ?? [type]) as ServerHostKeyAlgorithm[];
}

const VERDICTS: Readonly<Record<Exclude<HostKeyVerdict, 'match'>, string>> = {
  mismatch: 'another key is pinned',
  unknown: 'none is pinned',
  revoked: 'its key is revoked',
};

/** One authenticated connection to a host whose key is pinned. It carries several channels, and never reconnects. */
export class SshConnection {
  readonly #client = new ssh2.Client();
  readonly #login: SshLogin;
  readonly #onClose = new Set<(failure: SshFailure) => void>();
  readonly #channels = new Set<HelperChannel>();
  readonly #idle: HelperChannel[] = [];
  #busy = 0;
  #isAccepted = false;
  #isReady = false;
  #isRetired = false;
  #closed: SshFailure | null = null;

  constructor(login: SshLogin) {
    this.#login = login;
  }

  get isUsable(): boolean {
    return this.#isReady && this.#closed === null && !this.#isRetired;
  }

  /** Whether anything accepted the TCP connection. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** @throws SshFailure; AdapterFailure `BadInput` when the private key cannot be used */
  async open(): Promise<void> {
    const { place, privateKey, knownHosts } = this.#login;
    if (pinnedKeyTypes(knownHosts, place.address, place.port).length === 0)
      throw new SshFailure({ place, reason: 'unpinned' });
    if (ssh2.utils.parseKey(privateKey) instanceof Error) throw unusableKey(place);
    await this.#untilClosed<true>((resolve) => {
      this.#connect(() => {
        resolve(true);
      });
    });
  }

  /** An idle channel or a new one; it must be given back. */
  async take(): Promise<HelperChannel> {
    this.#busy += 1;
    try {
      for (let channel = this.#idle.pop(); channel !== undefined; channel = this.#idle.pop())
        if (channel.isUsable) return channel;
      return await this.#openChannel();
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  giveBack(channel: HelperChannel): void {
    if (channel.isUsable) this.#idle.push(channel);
    else {
      channel.close();
      this.#channels.delete(channel);
    }
    this.#leave();
  }

  /** Takes no new requests; those under way may still end. */
  retire(): void {
    this.#isRetired = true;
    if (this.#busy === 0) this.close();
  }

  close(): void {
    this.#end(new SshFailure({ place: this.#login.place, reason: 'closed', detail: 'by this side' }));
    // An orderly end would wait for the other side, which may be frozen or cut off.
    this.#client.destroy();
  }

  #leave(): void {
    this.#busy -= 1;
    if (this.#isRetired && this.#busy === 0) this.close();
  }

  /** Starts the helper and hears from it that it is one, so that every later failure belongs to a request. */
  async #openChannel(): Promise<HelperChannel> {
    const { place, command } = this.#login;
    const channel = await this.#untilClosed<HelperChannel>((resolve, reject) => {
      this.#client.exec(command, (error, stream) => {
        if (error) reject(new SshFailure({ place, reason: 'closed', detail: 'it opens no channel', cause: error }));
        else resolve(new HelperChannel(stream, place));
      });
    });
    this.#channels.add(channel);
    const hello = await this.#greet(channel);
    const protocol = hello.kind === 'ok' ? hello.fields['protocol'] : hello.message;
    if (protocol === HELPER_PROTOCOL) return channel;
    channel.close();
    const detail = `it speaks protocol ${protocol ?? 'without a number'}, this side ${HELPER_PROTOCOL}`;
    throw new SshFailure({ place, reason: 'not-installed', detail });
  }

  async #greet(channel: HelperChannel): Promise<HelperAnswer> {
    const deadline = new RunningDeadline({ timeoutMs: this.#login.connectTimeoutMs });
    try {
      return await deadline.race(channel.exchange({ verb: 'hello', args: {} }));
    } catch (error) {
      channel.close();
      const { place } = this.#login;
      throw error instanceof SshFailure
        ? error
        : new SshFailure({ place, reason: 'hung', detail: 'the host helper does not start', cause: error });
    } finally {
      deadline.stop();
    }
  }

  /** The driver calls nobody back when the connection dies while it is asked for something. */
  async #untilClosed<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    if (this.#closed !== null) throw this.#closed;
    let forget = (): void => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#onClose.add(reject);
        forget = (): void => {
          this.#onClose.delete(reject);
        };
        start(resolve, reject);
      });
    } finally {
      forget();
    }
  }

  #connect(onReady: () => void): void {
    const { place, user, privateKey, knownHosts, connectTimeoutMs } = this.#login;
    let verdict: HostKeyVerdict = 'match';
    const client = this.#client;
    client.once('connect', () => {
      this.#isAccepted = true;
      // Without it every request waits 40 ms for the acknowledgement of the one before.
      client.setNoDelay(true);
    });
    client.once('ready', () => {
      this.#isReady = true;
      onReady();
    });
    client.on('error', (error) => {
      this.#end(this.#explain(error, verdict));
      client.destroy();
    });
    client.on('close', () => {
      this.#end(new SshFailure({ place, reason: 'closed' }));
    });
    client.connect({
      host: place.address,
      port: place.port,
      username: user,
      privateKey,
      readyTimeout: connectTimeoutMs,
      ...KEEPALIVE,
      authHandler: ['publickey'],
      algorithms: { cipher: CIPHERS, serverHostKey: hostKeyAlgorithms(this.#login) },
      hostVerifier: (key: Buffer): boolean => {
        verdict = judgeHostKey(knownHosts, { host: place.address, port: place.port, key });
        return verdict === 'match';
      },
    });
  }

  #explain(error: Error, verdict: HostKeyVerdict): SshFailure {
    const { place } = this.#login;
    if (verdict !== 'match')
      return new SshFailure({ place, reason: 'host-key', detail: VERDICTS[verdict], cause: error });
    const reason = reasonOf(error);
    if (reason !== 'silent') return new SshFailure({ place, reason, cause: error });
    // The keepalive of a connection that once worked, or a handshake that somebody began to answer.
    if (this.#isReady) return new SshFailure({ place, reason: 'closed', detail: 'no keepalive', cause: error });
    return new SshFailure({ place, reason: this.#isAccepted ? 'hung' : 'silent', cause: error });
  }

  #end(failure: SshFailure): void {
    if (this.#closed !== null) return;
    this.#closed = failure;
    for (const reject of this.#onClose) reject(failure);
    // The driver does not always say that the channels went with the connection.
    for (const channel of this.#channels) channel.close();
  }
}

const unusableKey = ({ host }: SshPlace): AdapterFailure =>
  new AdapterFailure({
    type: 'BadInput',
    host,
    message: `the private key of access.ssh cannot be used for ${host} (not a private key, or protected by a passphrase); nothing was sent`,
    facts: { about: 'configuration' },
  });
