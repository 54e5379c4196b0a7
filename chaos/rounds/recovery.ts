import type { Verdict } from '../../client/index.ts';
import { StandfastError } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { LabError } from '../../lab/run.ts';
import { startServer } from './acts-host.ts';
import type { Ending } from './ending.ts';
import { endingOf, OF_NOTHING } from './ending.ts';
import type { Scene } from './scene.ts';
import { CLUSTER } from './stage.ts';
import { untilIdle } from './watchers.ts';

/** What a person did, and why. */
export interface Remedy {
  readonly because: string;
  readonly ending: Ending;
}

export interface Recovery {
  readonly isAccepted: boolean;
  readonly remedies: readonly Remedy[];
  /** The verdict of the product in the end. */
  readonly verdict: Verdict | null;
}

const MOST_REMEDIES = 10;
/** What did not help twice will not help; what is done by hand is done. */
const mostOf = (command: Command): number => (HANDS.includes(command[0]) ? 1 : 2);
const WRITES = 5;
const WRITES_WITHIN_MS = 2_500;
const STATUS_MS = 60_000;
const BY_HAND_MS = 10_000;

/** Follows what the product says, as a person would, until writes through the VIP are accepted and it has no more to advise. */
export async function recover(scene: Scene, first: Ending): Promise<Recovery> {
  const remedies: Remedy[] = [];
  const tries = new Map<string, number>();
  let said = first.sentence;
  for (;;) {
    if (scene.stage.isWatched) await untilIdle(scene.stage);
    const isAccepted = await acceptsWrites(scene);
    const looked = await look(scene);
    const advice = [...advicesOf(looked), ...(isAccepted ? [] : [lastResort(looked, said)])].find(
      (one) => (tries.get(one.command.join(' ')) ?? 0) < mostOf(one.command),
    );
    if (advice === undefined || remedies.length === MOST_REMEDIES)
      return { isAccepted, remedies, verdict: 'verdict' in looked ? looked.verdict : null };
    const name = advice.command.join(' ');
    tries.set(name, (tries.get(name) ?? 0) + 1);
    const ending = await follow(scene, advice.command);
    remedies.push({ because: advice.because, ending });
    said = ending.sentence;
  }
}

export async function acceptsWrites({ ledger }: Scene): Promise<boolean> {
  try {
    await ledger.acknowledged(WRITES, { since: Ledger.now(), timeoutMs: WRITES_WITHIN_MS });
    return true;
  } catch (error) {
    if (error instanceof LabError) return false;
    throw error;
  }
}

type Looked = { readonly verdict: Verdict } | { readonly error: StandfastError };

/** The verdict of the product, good or bad. */
export async function look({ stage }: Scene): Promise<Looked> {
  try {
    return { verdict: (await stage.client.status(CLUSTER, { timeoutMs: STATUS_MS })).verdict };
  } catch (error) {
    if (error instanceof StandfastError) return { error };
    throw error;
  }
}

type Command = readonly [name: string, host: string];

interface Advice {
  readonly because: string;
  readonly command: Command;
}

/** A command of ours that somebody is told to use: in a finding, in a refusal. */
const COMMAND = /standfast (failover|prepare|acker add|acker remove|acker none) shop(?: --to)? ?(db\d)?/;

/** Findings whose remedy a person carries out on the server itself. */
const BY_HAND: Readonly<Record<string, string>> = {
  ReplicaDown: 'start mariadb',
  ApplierStopped: 'START SLAVE SQL_THREAD',
  ReceiverStopped: 'START SLAVE IO_THREAD',
};
const HANDS: readonly string[] = Object.values(BY_HAND);

function commandIn(text: string): Command | null {
  const found = COMMAND.exec(text);
  return found === null ? null : [found[1] ?? '', found[2] ?? ''];
}

function advicesOf(looked: Looked): readonly Advice[] {
  if ('error' in looked) return [];
  const { findings, primary } = looked.verdict;
  return findings
    .filter((finding) => finding.severity === 'bad')
    .flatMap(({ code, host, explains, remedy }): readonly Advice[] => {
      // The return of a fenced host, and of one with errant transactions, is left to the plan: not every person has the time at once.
      if (remedy.startsWith('standfast acker remove')) return [];
      const byHand = remedy.startsWith('standfast rejoin') ? undefined : BY_HAND[code];
      const told = remedy.replace('CLUSTER', CLUSTER).replace('PRIMARY', primary).replace('HOST', host);
      const command = byHand === undefined ? commandIn(told) : ([byHand, host] as const);
      return command === null ? [] : [{ because: `${host}: ${explains}`, command }];
    });
}

/** Nothing is wrong that could be named, and yet writes are not accepted: what the last answer says, or to try again. */
function lastResort(looked: Looked, said: string): Advice {
  const because = 'error' in looked ? looked.error.message : said;
  return { because: `writes are not accepted: ${because}`, command: commandIn(because) ?? ['failover', ''] };
}

/** Does what a command of ours says, or what is done by hand. */
export function follow(scene: Scene, command: Command): Promise<Ending> {
  const [name, host] = command;
  const { client } = scene.stage;
  const [to, reason] = [{ cluster: CLUSTER, host }, 'chaos: remedy'] as const;
  const runs: Readonly<Record<string, Parameters<typeof endingOf>[1]>> = {
    failover: (options) => client.failover({ cluster: CLUSTER, reason }, options),
    prepare: (options) => client.preparePrimary(to, options),
    rejoin: (options) => client.rejoinReplica(to, options),
    'acker add': async (options) => ({ ...(await client.admitReplica(to, options)), sentence: '' }),
    'acker remove': (options) => client.removeAcker({ ...to, reason }, options),
    'acker none': (options) => client.goAsync({ cluster: CLUSTER, reason }, options),
  };
  const run = runs[name];
  return run === undefined ? byHand(scene, command) : endingOf(`${name} ${host}`.trim(), run);
}

async function byHand({ stage }: Scene, [command, name]: Command): Promise<Ending> {
  const startedAt = performance.now();
  const host = stage.lab.host(name);
  const done = { operation: `${command} on ${name}`, runId: null, ...OF_NOTHING };
  const tookMs = (): number => Math.round(performance.now() - startedAt);
  try {
    await (command === 'start mariadb' ? startServer(host) : host.sql(command, { timeoutMs: BY_HAND_MS }));
    return { ...done, kind: 'done', type: 'by hand', sentence: '', changed: true, tookMs: tookMs() };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { ...done, kind: 'refused', type: 'by hand', sentence: error.message, changed: null, tookMs: tookMs() };
  }
}
