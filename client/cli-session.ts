import type { CliIo, CliWorld, GlobalOptions } from './cli-io.ts';
import type { RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';
import type { Paint } from './paint.ts';
import { errorAsJson, renderError } from './render-error.ts';
import { renderProgress } from './render-progress.ts';
import type { StandfastApi } from './standfast.ts';
import type { WaitOptions } from './waiting.ts';

const SCHEMA = 'standfast/v1';

export interface Session {
  readonly io: CliIo;
  readonly world: CliWorld;
  readonly options: GlobalOptions;
}

/** What a command prints, and what it exits with. */
export interface Report {
  readonly kind: string;
  readonly data: object;
  readonly text: (paint: Paint) => string | Promise<string>;
  /** For `-o md`, of the commands that have it. */
  readonly markdown?: () => string | Promise<string>;
  readonly exitCode?: number;
}

export interface Job {
  /** First line on standard error, before anything slow is loaded. */
  readonly title: string;
  readonly work: (client: StandfastApi, wait: WaitOptions) => Promise<Report>;
}

/** Connects, works, prints; Ctrl-C leaves the run to itself. */
export async function perform(session: Session, job: Job): Promise<number> {
  const { io, world, options } = session;
  io.err(job.title);
  const interrupt = new AbortController();
  const forget = io.onInterrupt(() => {
    interrupt.abort();
  });
  try {
    const client = await Promise.race([world.connect(), interruption(interrupt.signal)]);
    try {
      const report = await job.work(client, {
        timeoutMs: options.timeout,
        signal: interrupt.signal,
        onProgress: (progress) => {
          io.err(`  ${renderProgress(progress)}`);
        },
      });
      await print(session, report);
      return report.exitCode ?? 0;
    } finally {
      await client.close();
    }
  } catch (error) {
    return reportError(session, error);
  } finally {
    forget();
  }
}

const interruption = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(
        new StandfastError({
          type: 'TemporalUnreachable',
          message: 'interrupted before Temporal answered; nothing was started',
        }),
      );
    });
  });

export const asJson = (kind: string, data: object): string => JSON.stringify({ schema: SCHEMA, kind, ...data });

async function print({ io, options }: Pick<Session, 'io' | 'options'>, report: Report): Promise<void> {
  if (options.output === 'json') io.out(asJson(report.kind, report.data));
  else io.out(await (options.output === 'md' && report.markdown ? report.markdown() : report.text(io.paintOut)));
}

/** Text for people on standard error, always; for programs that asked for JSON, the same as data. */
export function reportError({ io, options }: Pick<Session, 'io' | 'options'>, error: unknown): number {
  const failure = error instanceof StandfastError ? error : internal(error);
  io.err(renderError(failure, io.paintErr));
  if (options.output === 'json') io.out(asJson('Error', errorAsJson(failure)));
  return failure.exitCode;
}

const internal = (error: unknown): StandfastError =>
  new StandfastError({
    type: 'Internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    cause: error,
  });

export interface RunbookJob<Result extends object> {
  readonly title: string;
  /** Of the answer, as data. */
  readonly kind: string;
  readonly options: GlobalOptions;
  readonly call: (
    client: StandfastApi,
    how: WaitOptions & Pick<GlobalOptions, 'detach'>,
  ) => Promise<Result | RunReference>;
  readonly text: (answer: Result, paint: Paint) => Promise<string>;
  readonly exitCode?: (answer: Result) => number;
}

/** A command that starts a runbook, and prints its result, or the run that it left to itself. */
export const runbookJob = <Result extends object>(job: RunbookJob<Result>): Job => ({
  title: job.title,
  work: async (client, wait) => {
    const answer = await job.call(client, { ...wait, detach: job.options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: job.kind,
      data: answer,
      text: (paint) => job.text(answer, paint),
      exitCode: job.exitCode?.(answer) ?? 0,
    };
  },
});

/** A detached run is an answer too. */
const detachedReport = (run: RunReference): Report => ({
  kind: 'Run',
  data: { detached: true, ...run },
  text: () => `${run.type} runs by itself as ${run.workflowId} (run ${run.runId})`,
});

const isRunReference = (answer: object): answer is RunReference => 'workflowId' in answer && !('outcome' in answer);
