import { Context, log } from '@temporalio/activity';
import type { ClusterPorts, HelperAnswerFields } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { FileCounts, Fileset } from '../domain/filesets.ts';
import { judgeRsync } from '../domain/filesets.ts';
import { beat } from './beats.ts';
import type { FilesErrand } from './contract.ts';
import { JobAttempt } from './job-attempt.ts';
import { pause } from './pause.ts';

const POLL_MS = 200;
const LOOK_MS = 20_000;

/** `look` and `count` are dry runs; the others say what becomes of entries that the source lacks. */
export type Deletes = 'look' | 'count' | 'none' | 'listed' | 'aside';

export interface RsyncStatus {
  readonly exit: string;
  readonly deletes: string;
  readonly stamp: string;
  readonly counts: FileCounts;
  readonly log: string;
}

interface List {
  readonly of: 'list' | 'sent';
  readonly kind: 'deletions' | 'changes';
  readonly most: number;
}

/** One fileset on its way to one target: a key for this run alone, rsync as a job of the source, and the attempt that may order it. */
export class FilesetRun {
  readonly #cluster: ClusterPorts;
  readonly #fileset: Fileset;
  readonly #errand: FilesErrand;
  readonly #job: string;
  #attempt: JobAttempt | null = null;
  #stamp = '';
  #isSettled = false;

  constructor(cluster: ClusterPorts, fileset: Fileset, errand: FilesErrand) {
    this.#cluster = cluster;
    this.#fileset = fileset;
    this.#errand = errand;
    this.#job = `files.${fileset.name}.${errand.target}`;
  }

  /** Whether the target received from this source before, with nobody promoted since. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Why the folders may not be used, as their hosts see them. */
  async faults(): Promise<readonly { readonly host: HostName; readonly fault: string; readonly at: string }[]> {
    const { source, target } = this.#errand;
    const looks = await Promise.all(
      (
        [
          ['source', source],
          ['target', target],
        ] as const
      ).map(async ([role, host]) => {
        const args = { role, ...this.#place(host), marker: this.#fileset.marker };
        const { fault = '', detail: at = '' } = await this.#ask(host, 'files-look', args);
        return { host, fault, at };
      }),
    );
    return looks.filter(({ fault }) => fault !== '');
  }

  /**
   * The rsync that an earlier attempt of this run has started, and that went on when its worker died: waited for, and closed.
   * @returns null when there is none, or it did not end well
   */
  async resume(): Promise<RsyncStatus | null> {
    const { source, run } = this.#errand;
    const found = await this.#ask(source, 'files-status', { job: this.#job });
    if (found['run'] !== run || found['step'] !== 'push') return null;
    const ended = await this.#ended();
    if (judgeRsync(ended.exit).kind !== 'well') return null;
    await this.#close(await this.#begin(), 'yes');
    return ended;
  }

  /** Lets the source in on the target while `work` goes on, and nobody afterwards. */
  async whileOpen<T extends { readonly warnings: readonly unknown[] }>(
    { diff }: { readonly diff: boolean },
    work: () => Promise<T>,
  ): Promise<T> {
    const attempt = await this.#begin();
    let result: T;
    try {
      await this.#open(attempt, diff);
      result = await work();
    } catch (error) {
      try {
        await this.#close(attempt, 'no');
      } catch (why) {
        // The key lets nobody do more than this run might have done, and the next run replaces it.
        log.warn('a fileset was not closed', { job: this.#job, why: String(why) });
      }
      throw error;
    }
    // What vanished on its way was not compared: the target may have a version of its own that nothing has set aside yet.
    await this.#close(attempt, result.warnings.length === 0 ? 'yes' : 'no');
    return result;
  }

  /** What is set aside from here on goes to another folder. */
  async reopen(): Promise<void> {
    if (this.#attempt === null) throw this.#notOpen();
    await this.#open(this.#attempt, false);
  }

  async #begin(): Promise<JobAttempt> {
    const { source, target } = this.#errand;
    this.#attempt = await JobAttempt.begin(this.#cluster, { job: this.#job }, [source, target]);
    return this.#attempt;
  }

  async #close(attempt: JobAttempt, well: 'yes' | 'no'): Promise<void> {
    for (const host of [this.#errand.target, this.#errand.source]) await attempt.order(host, 'files-close', { well });
  }

  async #open(attempt: JobAttempt, diff: boolean): Promise<void> {
    const { source, target, run } = this.#errand;
    const key = await attempt.order(source, 'job-key');
    const opened = await attempt.order(target, 'files-open', {
      ...{ run, ...this.#place(target), max: String(this.#fileset.maxDelete), diff: diff ? 'yes' : 'no' },
      public: key['public'] ?? '',
      from: this.#cluster.endpoint(source).address,
    });
    this.#stamp = opened['stamp'] ?? '';
    this.#isSettled = opened['settled'] === 'yes';
  }

  /** Starts rsync on the source and waits for its end. */
  async rsync(deletes: Deletes): Promise<RsyncStatus> {
    const { source, target, run } = this.#errand;
    const attempt = this.#attempt;
    if (attempt === null) throw this.#notOpen();
    const { marker, maxDelete, bandwidthKiBps, compress } = this.#fileset;
    await attempt.order(source, 'files-send', {
      ...{ run, ...this.#place(source), marker, deletes, stamp: this.#stamp },
      ...{ max: String(maxDelete), bandwidth: String(bandwidthKiBps), compress: compress ? 'yes' : 'no' },
      target: this.#cluster.endpoint(target).address,
      target_port: String(this.#cluster.sshPort(target)),
      user: this.#cluster.sshUser,
      known_hosts: await this.#cluster.pinnedKeys(target),
    });
    return this.#ended();
  }

  async list({ of, kind, most }: List): Promise<string> {
    const answer = await this.#ask(this.#errand.source, 'files-list', { job: this.#job, of, kind, most: String(most) });
    return answer['lines'] ?? '';
  }

  async #ended(): Promise<RsyncStatus> {
    const { source, target } = this.#errand;
    const { cancellationSignal } = Context.current();
    for (;;) {
      cancellationSignal.throwIfAborted();
      const answer = await this.#ask(source, 'files-status', { job: this.#job });
      beat({ host: target, step: answer['step'] ?? '' });
      if (answer['state'] !== 'running') return statusFrom(answer);
      await pause(POLL_MS, cancellationSignal);
    }
  }

  #notOpen(): Error {
    return new Error(`${this.#job} is not open`);
  }

  #place(host: HostName): Readonly<Record<string, string>> {
    const { cluster, fileset, source } = this.#errand;
    return { name: host, source, cluster, fileset, path: this.#fileset.path };
  }

  #ask(host: HostName, verb: string, args: Readonly<Record<string, string>>): Promise<HelperAnswerFields> {
    return this.#cluster.helper(host).request(verb, args, { timeoutMs: LOOK_MS });
  }
}

function statusFrom(answer: HelperAnswerFields): RsyncStatus {
  const count = (name: string): number => Number(answer[name] ?? 0);
  const { exit = '', deletes = '', stamp = '', log: said = '' } = answer;
  const counts = {
    created: count('created'),
    updated: count('updated'),
    touched: count('touched'),
    deleted: count('deleted'),
    bytes: count('bytes'),
  };
  return { exit, deletes, stamp, counts, log: said };
}
