import type { CliIo, CliWorld, HostsApi, RunsApi } from '../../client/cli-io.ts';
import type { DiscoveryOrder } from '../../inventory/draft.ts';
import { main } from '../../client/cli.ts';
import { plain } from '../../client/paint.ts';
import type { StandfastApi } from '../../client/standfast.ts';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly closed: boolean;
}

export interface Scene {
  /** What the client answers; a command that asks for anything else fails. */
  readonly api?: Partial<StandfastApi>;
  /** What a person at the terminal types; nobody sits there when absent. */
  readonly typed?: string;
  /** Presses Ctrl-C as soon as the command listens for it. */
  readonly interrupt?: Promise<void>;
  readonly startWorker?: CliWorld['startWorker'];
  readonly openHosts?: () => Promise<HostsApi>;
  readonly openRuns?: () => Promise<RunsApi>;
  readonly discover?: (order: DiscoveryOrder) => Promise<string>;
}

/** Runs one command line in this process, with a client of the test's own. */
export async function run(line: string, scene: Scene = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  let closed = false;
  const io: CliIo = {
    out: (text) => out.push(text),
    redraw: (text) => out.push(`redrawn: ${text}`),
    err: (text) => err.push(text),
    paintOut: plain,
    paintErr: plain,
    isInteractive: scene.typed !== undefined,
    ask: (question) => {
      err.push(question);
      return Promise.resolve(scene.typed ?? '');
    },
    onInterrupt: (listener) => {
      void scene.interrupt?.then(listener);
      return () => undefined;
    },
  };
  const close = (): Promise<void> => {
    closed = true;
    return Promise.resolve();
  };
  const exitCode = await main(line.split(' ').filter(Boolean), io, {
    connect: () => Promise.resolve({ ...unexpected, ...scene.api, close } as StandfastApi),
    openHosts: scene.openHosts ?? refuse,
    openRuns: scene.openRuns ?? refuse,
    discover: scene.discover ?? refuse,
    startWorker: scene.startWorker ?? (() => Promise.resolve(0)),
  });
  return { exitCode, out: out.join('\n'), err: err.join('\n'), closed };
}

const refuse = () => Promise.reject(new Error('the command must not ask for this'));
const unexpected = {
  failover: refuse,
  accept: refuse,
  provisionReplica: refuse,
  rejoinReplica: refuse,
  preparePrimary: refuse,
  admitReplica: refuse,
  removeAcker: refuse,
  goAsync: refuse,
  verify: refuse,
  audit: refuse,
  lag: refuse,
  syncFiles: refuse,
  diffFiles: refuse,
};
