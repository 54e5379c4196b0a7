import type { Verdict as ProductVerdict } from '../../client/index.ts';
import { StandfastError } from '../../client/index.ts';
import { compareServers } from '../../lab/checksums.ts';
import type { Verdict as LedgerVerdict } from '../../lab/ledger/verdict.ts';
import { LabError, until } from '../../lab/run.ts';
import { Runs } from '../runs.ts';
import { ledgerWritesOf } from './binlog.ts';
import { ROLES } from './catalogue.ts';
import type { Ending } from './ending.ts';
import { endingOf } from './ending.ts';
import type { Evidence } from './judge.ts';
import { successionOf } from './judge.ts';
import { hostsSpokenOf } from './losses.ts';
import type { HostFacts } from './outside.ts';
import { allFacts, answersForVip, followsSoundly, primaryOf } from './outside.ts';
import type { Plan } from './plan.ts';
import { hostsHit } from './plan.ts';
import type { Recovery } from './recovery.ts';
import type { Act } from './round.ts';
import type { Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { CLUSTER } from './stage.ts';

const CONVERGENCE_MS = 10_000;
const STATUS_MS = 30_000;
const ENDED_MS = 5_000;

interface Examined extends Evidence {
  readonly ledger: LedgerVerdict;
  readonly primary: string | null;
  readonly out: readonly string[];
}

interface Standing {
  readonly hosts: readonly HostFacts[];
  readonly verdict: ProductVerdict | null;
}

interface Played {
  readonly plan: Plan;
  readonly act: Act;
  readonly recovery: Recovery;
  readonly afterwards: readonly Ending[];
  /** Everything that had the lock of the cluster, when watchers may have started some of it; empty: a person started all of it. */
  readonly byThemselves: readonly Ending[];
}

/** Looks at everything that the round left, after the writers have ended. */
export async function examine(
  scene: Scene,
  { plan, act, recovery, afterwards, byThemselves }: Played,
): Promise<Examined> {
  const { stage, ledger } = scene;
  const names = stage.lab.hosts.map((host) => host.name);
  const { hosts, verdict } = await lastLook(stage);
  const primary = primaryOf(hosts)?.host ?? null;
  const reigning = primary ?? ROLES.primary;
  const isOut = (host: string): boolean => named(verdict).has(host);
  const again = recovery.isAccepted ? await failoverOfWellCluster(stage) : null;
  const byPeople = [act.ending, ...recovery.remedies.map(({ ending }) => ending), ...afterwards];
  const endings =
    byThemselves.length === 0
      ? byPeople
      : [...byThemselves, ...byPeople.filter(({ newPrimary }) => newPrimary === null)];
  const acknowledgedBy = new Set(ledger.attempts().flatMap(({ serverId }) => serverId ?? []));
  const succession = successionOf(endings, { hosts: names, acknowledgedBy });
  const faultAt = firstBlow(act);
  const compared = names.filter((host) => !isOut(host));
  return {
    ...{ endings, afterwards, again, isAccepted: recovery.isAccepted, hosts, verdict, primary },
    ...{ before: act.before, afterRefusal: act.afterRefusal },
    ledger: await ledger.verdict({
      primary: reigning,
      ...(succession === undefined ? {} : { succession }),
      ...(faultAt === null ? {} : { faultAt }),
    }),
    present: new Set(await ledger.rowsOn(reigning)),
    written: await writtenBy(scene, hostsSpokenOf(endings)),
    out: names.filter((host) => host !== primary && isOut(host)),
    arpHolder: await answersForVip(stage.lab),
    stillRunning: await stillRunning(stage),
    differingTables: primary === null ? [] : await differences(stage, primary, compared),
    touched: new Set([...hostsHit(plan), ...deposed(endings)]),
    errantOn: new Set(
      act.faults.flatMap((one) => (one.kind === 'errant' && one.madeAtMs !== null ? (one.host ?? []) : [])),
    ),
  };
}

async function writtenBy({ stage, ledger }: Scene, hosts: readonly string[]): Promise<Evidence['written']> {
  const logs = hosts.map(async (host) => {
    const log = await ledgerWritesOf(stage.lab.host(host));
    return [host, log === null ? null : new Map([...log].filter(([token]) => ledger.isMine(token)))] as const;
  });
  return new Map(await Promise.all(logs));
}

const deposed = (endings: readonly Ending[]): readonly string[] =>
  endings.flatMap(({ oldPrimary }) => oldPrimary ?? []);

const named = (verdict: ProductVerdict | null): ReadonlySet<string> =>
  new Set((verdict?.findings ?? []).filter(({ severity }) => severity === 'bad').map(({ host }) => host));

/** Waits until every host is well or named as not being so, and takes what there is when that does not come. */
async function lastLook(stage: Stage): Promise<Standing> {
  let last: Standing = { hosts: [], verdict: null };
  const look = async (): Promise<true | undefined> => {
    const verdict = await verdictOf(stage);
    last = { hosts: await allFacts(stage.lab), verdict };
    const primary = primaryOf(last.hosts);
    if (primary === null) return undefined;
    const isSettled = last.hosts.every(
      (entry) => entry === primary || named(verdict).has(entry.host) || followsSoundly(entry, primary, last.hosts),
    );
    return isSettled ? true : undefined;
  };
  await until('the end of the round', look, CONVERGENCE_MS).catch(takeWhatThereIs);
  return last;
}

function takeWhatThereIs(error: unknown): void {
  if (!(error instanceof LabError)) throw error;
}

async function verdictOf({ client }: Stage): Promise<ProductVerdict | null> {
  try {
    return (await client.status(CLUSTER, { timeoutMs: STATUS_MS })).verdict;
  } catch (error) {
    if (error instanceof StandfastError) return null;
    throw error;
  }
}

const failoverOfWellCluster = ({ client }: Stage): Promise<Ending> =>
  endingOf('failover of a cluster that is well', (options) =>
    client.failover({ cluster: CLUSTER, reason: 'chaos: nothing is wrong' }, options),
  );

/** When the primary was first hit, on the clock of the ledger: the outage of writes counts from there. */
function firstBlow({ faults, begunAt }: Act): number | null {
  const times = faults.flatMap((one) => (one.endsPrimary && one.madeAtMs !== null ? one.madeAtMs : []));
  return times.length === 0 ? null : begunAt + Math.min(...times) * 1000;
}

async function stillRunning({ connection }: Stage): Promise<readonly string[]> {
  let running: readonly string[] = [];
  const none = async (): Promise<true | undefined> => {
    running = await Runs.on(connection).left();
    return running.length === 0 ? true : undefined;
  };
  await until('the end of all runs', none, ENDED_MS).catch(takeWhatThereIs);
  return running;
}

async function differences({ lab }: Stage, primary: string, servers: readonly string[]): Promise<readonly string[]> {
  try {
    return (await compareServers(lab, primary, servers)).differing;
  } catch (error) {
    if (error instanceof LabError) return [`(not compared: ${error.message})`];
    throw error;
  }
}
