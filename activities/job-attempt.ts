import type { ClusterPorts, HelperAnswerFields, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Transfer } from './contract.ts';
import { isStale } from './overtaken.ts';

const LOOK_MS = 2_000;
const ORDER_MS = 30_000;
const START_MS = 120_000;
const SLOW_VERBS: readonly string[] = ['service-start', 'configure'];

/** Without a target nobody's sessions are ended. */
type Copy = Pick<Transfer, 'job'> & Partial<Pick<Transfer, 'target'>>;
type Arguments = Readonly<Record<string, string>>;

/**
 * The right of one attempt at one step of a copy to change something. Provisioning holds no lock and no epoch for its hours; the hosts number
 * the attempts instead, refuse the orders of all but the newest, and kill the sessions of older ones: a worker that was stopped
 * for longer than its timeout, and goes on when another has done its step, has no effect.
 */
export class JobAttempt {
  readonly #cluster: ClusterPorts;
  readonly #job: string;
  readonly #numbers: ReadonlyMap<HostName, string>;

  private constructor(cluster: ClusterPorts, job: string, numbers: ReadonlyMap<HostName, string>) {
    this.#cluster = cluster;
    this.#job = job;
    this.#numbers = numbers;
  }

  /** @throws AdapterFailure `Stale` when the copy is proven, kept or cleaned: nothing is changed for it any more */
  static async begin(cluster: ClusterPorts, copy: Copy, hosts: readonly HostName[]): Promise<JobAttempt> {
    const { owner, operationAccount: account } = cluster;
    const numbers = new Map<HostName, string>();
    for (const host of hosts) {
      // On the donor, a running server of others, a copy opens no session that could change anything.
      const sessions = host === copy.target ? { account } : {};
      const claim = { owner, job: copy.job, ...sessions };
      const answer = await cluster.helper(host).request('job-claim', claim, { timeoutMs: ORDER_MS });
      numbers.set(host, answer['attempt'] ?? '');
    }
    return new JobAttempt(cluster, copy.job, numbers);
  }

  async order(host: HostName, verb: string, args: Arguments = {}): Promise<HelperAnswerFields> {
    const timeoutMs = SLOW_VERBS.includes(verb) ? START_MS : ORDER_MS;
    return this.#ask(host, { verb, args, timeoutMs });
  }

  /** Acts on one session that is never replaced within `work`. */
  async withSession<T>(host: HostName, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#cluster.session(host);
    try {
      await this.#ask(host, { verb: 'job-assert', args: {}, timeoutMs: LOOK_MS });
      return await work(session);
    } finally {
      session.close();
    }
  }

  async #ask(
    host: HostName,
    order: { readonly verb: string; readonly args: Arguments; readonly timeoutMs: number },
  ): Promise<HelperAnswerFields> {
    const attempt = this.#numbers.get(host);
    if (attempt === undefined) throw new Error(`this attempt at ${this.#job} was not begun on ${host}`);
    const args = { owner: this.#cluster.owner, job: this.#job, attempt, ...order.args };
    try {
      return await this.#cluster.helper(host).request(order.verb, args, { timeoutMs: order.timeoutMs });
    } catch (error) {
      throw isStale(error) ? tryAgain(error) : error;
    }
  }
}

/** Temporal ignores what a timed-out attempt says. The one that it listens to was overtaken by such an attempt, and simply begins anew. */
const tryAgain = (error: AdapterFailure): AdapterFailure =>
  new AdapterFailure({ type: 'NotYet', host: error.host, message: error.message, cause: error });
