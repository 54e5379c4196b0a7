import { RunningDeadline } from './deadline.ts';
import type { HelperAnswer, HelperRequest } from './helper-wire.ts';
import { faultOfRequest } from './helper-wire.ts';
import type { KnownHostEntry } from './known-hosts.ts';
import type { Deadline, HelperAnswerFields, HelperPort } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import { SshConnection } from './ssh-connection.ts';
import type { SshPlace, SshReason } from './ssh-failure.ts';
import { SshFailure } from './ssh-failure.ts';
import { Turns } from './turns.ts';

export interface SshAccess {
  readonly user: string;
  /** Asked for at every connection, so that a new key needs no restart. */
  readonly privateKey: () => Promise<string>;
  /** Asked for at every connection too. What either of the two throws is passed on as it is. */
  readonly knownHosts: () => Promise<readonly KnownHostEntry[]>;
  /** What runs the helper on the host. */
  readonly command?: string;
  readonly connectTimeoutMs?: number;
}

const HELPER_COMMAND = 'sudo -n /usr/local/sbin/standfast-host serve';
const CONNECT_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
/** sshd allows 10 sessions a connection by default; several, so that a slow order does not keep a look waiting. */
const MOST_CHANNELS = 6;
/** These change nothing: without an answer the host was merely unreachable. */
export const LOOKING_VERBS: readonly string[] = [
  'hello',
  'records',
  'observe',
  'assert',
  'binlog-end',
  'vip-probe',
  'server-probe',
  'relay-source',
  'job-status',
  'job-check',
  'job-assert',
  'server-settings',
  'installed',
  'journal',
  'audit-host',
  'audit-settings',
  'audit-keepalived',
  'round-trip',
  'backup-age',
  'tail-list',
  'tail-read',
  'files-look',
  'files-status',
  'files-list',
];

/** One request on its way: what its failure means depends on how far it came. */
interface Errand {
  readonly request: HelperRequest;
  readonly deadline: RunningDeadline;
  stage: 'queued' | 'connecting' | 'asking';
}

/** Sent, and more than a look: it may have been carried out. */
const isUnderWay = ({ stage, request }: Errand): boolean => stage === 'asking' && !LOOKING_VERBS.includes(request.verb);

/**
 * The host helper of one host, over one SSH connection that is made at the first request, and again at the next one after it is lost. A
 * request that gets no answer in time, or is cancelled, takes its channel with it, so that no answer is ever taken for another's.
 */
export class SshHelper implements HelperPort {
  readonly #place: SshPlace;
  readonly #access: SshAccess;
  readonly #turns = new Turns(MOST_CHANNELS);
  #connecting: Promise<SshConnection> | null = null;
  #connection: SshConnection | null = null;

  constructor(place: SshPlace, access: SshAccess) {
    this.#place = place;
    this.#access = access;
  }

  /**
   * @throws AdapterFailure with the helper's own type when it answers "fail"; `Unreachable` when the request did not arrive or only looked;
   *   `Unverified` when an order was sent and no answer heard; `BadInput` when it cannot be sent. A cancellation is passed on as it is
   */
  async request(
    verb: string,
    args: Readonly<Record<string, string>> = {},
    deadline: Deadline = {},
  ): Promise<HelperAnswerFields> {
    const { host } = this.#place;
    const fault = faultOfRequest({ verb, args });
    if (fault !== null) throw this.#refusal('BadInput', `${verb} was not sent to ${host}: ${fault}`);
    const running = new RunningDeadline({ timeoutMs: REQUEST_TIMEOUT_MS, ...deadline });
    const reply = await this.#carry({ request: { verb, args }, deadline: running, stage: 'queued' });
    if (reply.kind === 'ok') return reply.fields;
    throw this.#refusal(reply.type, `${host} refused ${verb}: ${reply.message}`);
  }

  /** Requests under way fail; the next one connects anew. */
  close(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#connecting = null;
  }

  async #carry(errand: Errand): Promise<HelperAnswer> {
    const turn = this.#turns.take();
    try {
      await errand.deadline.race(turn);
      return await this.#askAnew(errand);
    } catch (error) {
      throw this.#explain(error, errand);
    } finally {
      errand.deadline.stop();
      void turn.then(() => {
        this.#turns.giveBack();
      });
    }
  }

  /** A connection that was kept may be one that the host forgot when its power failed: what only looked, or was not sent, goes over a new one. */
  async #askAnew(errand: Errand): Promise<HelperAnswer> {
    const kept = this.#connection?.isUsable === true ? this.#connection : null;
    if (kept !== null) {
      try {
        return await this.#ask(kept, errand);
      } catch (error) {
        const isLost = error instanceof SshFailure && error.reason === 'closed' && this.#connection !== null;
        if (!isLost || isUnderWay(errand)) throw error;
      }
    }
    errand.stage = 'connecting';
    return this.#ask(await errand.deadline.race(this.#connected()), errand);
  }

  async #ask(connection: SshConnection, errand: Errand): Promise<HelperAnswer> {
    const taking = connection.take();
    try {
      const channel = await errand.deadline.race(taking);
      errand.stage = 'asking';
      return await errand.deadline.race(channel.exchange(errand.request));
    } catch (error) {
      // A host that does not answer here may not answer at all: the next request finds out on a connection of its own.
      if (!errand.deadline.isCancelled) connection.retire();
      throw error;
    } finally {
      taking.then(
        (channel) => {
          connection.giveBack(channel);
        },
        () => undefined, // there is nothing to give back, and the reason was thrown above
      );
    }
  }

  #connected(): Promise<SshConnection> {
    if (this.#connection?.isUsable === true) return Promise.resolve(this.#connection);
    if (this.#connecting !== null) return this.#connecting;
    const attempt = this.#connect();
    const forget = (): void => {
      if (this.#connecting === attempt) this.#connecting = null;
    };
    attempt.then(forget, forget);
    this.#connecting = attempt;
    return attempt;
  }

  async #connect(): Promise<SshConnection> {
    // One after the other: with both missing it is always the same that is told of.
    const privateKey = await this.#access.privateKey();
    const knownHosts = await this.#access.knownHosts();
    const connection = new SshConnection({
      place: this.#place,
      user: this.#access.user,
      connectTimeoutMs: this.#access.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      command: this.#access.command ?? HELPER_COMMAND,
      privateKey,
      knownHosts,
    });
    this.#connection = connection;
    await connection.open();
    return connection;
  }

  #explain(error: unknown, errand: Errand): unknown {
    const { request, deadline, stage } = errand;
    const isMute = deadline.isTimeout && !(error instanceof AdapterFailure);
    if (!isMute && !(error instanceof SshFailure)) return error;
    const isOrderUnderWay = isUnderWay(errand);
    if (error instanceof SshFailure && !isOrderUnderWay) return error;
    const stuckAt = {
      queued: `${String(MOST_CHANNELS)} other requests to it are under way`,
      connecting: '',
      asking: `no answer to ${request.verb}${isOrderUnderWay ? ', which may have been carried out' : ''}`,
    }[stage];
    return new SshFailure({
      place: this.#place,
      reason: error instanceof SshFailure ? error.reason : this.#muteReason(stage),
      detail: [...(error instanceof SshFailure && error.detail !== '' ? [error.detail] : []), stuckAt].join(', '),
      type: isOrderUnderWay ? 'Unverified' : 'Unreachable',
      cause: error,
    });
  }

  #muteReason(stage: Errand['stage']): SshReason {
    const isSilent = stage === 'connecting' && this.#connection?.isAccepted !== true;
    return isSilent ? 'silent' : 'hung';
  }

  #refusal(type: AdapterFailure['type'], message: string): AdapterFailure {
    return new AdapterFailure({ type, message, host: this.#place.host });
  }
}
