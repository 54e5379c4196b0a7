import { setTimeout as pause } from 'node:timers/promises';
import { Ledger } from '../../lab/ledger/ledger.ts';
import type { Verdict as LedgerVerdict } from '../../lab/ledger/verdict.ts';
import { LabError } from '../../lab/run.ts';
import { powerOn, startServer } from './acts-host.ts';
import { playAfterwards } from './afterwards.ts';
import { ROLES } from './catalogue.ts';
import type { Ending } from './ending.ts';
import { endingOf } from './ending.ts';
import { examine } from './examine.ts';
import type { Violation } from './judge.ts';
import { judgeRound } from './judge.ts';
import type { Acceptance } from '../../client/index.ts';
import type { HostFacts } from './outside.ts';
import { allFacts } from './outside.ts';
import type { Plan } from './plan.ts';
import { Person } from './person.ts';
import type { Recovery, Remedy } from './recovery.ts';
import { acceptsWrites, recover } from './recovery.ts';
import type { Scene } from './scene.ts';
import { openScene } from './scene.ts';
import type { Played } from './script.ts';
import { Script } from './script.ts';
import { endingOfRun, Operations } from './watchers.ts';
import { resetCluster } from './reset.ts';
import type { Stage } from './stage.ts';
import { CLUSTER, dismissWatchers } from './stage.ts';

/** A finished round: one line of the journal. */
export interface Round {
  readonly plan: Plan;
  readonly faults: readonly Played[];
  readonly ending: Ending;
  readonly remedies: readonly Remedy[];
  readonly accepted: readonly Acceptance[];
  readonly afterwards: readonly Ending[];
  /** What had the lock of the cluster, oldest first, when it was watched. */
  readonly byThemselves: readonly Ending[];
  readonly ledger: LedgerVerdict;
  readonly primary: string | null;
  /** Hosts that do not replicate in the end, as the verification says too. */
  readonly out: readonly string[];
  /** Writes in the binary log of each host of which a loss was stated, or its absence: so many were compared. Null: it could not be read. */
  readonly compared: Readonly<Record<string, number | null>>;
  readonly violations: readonly Violation[];
  readonly tookMs: number;
  /** Milliseconds until the writers write, of the failover and its faults, of what followed until all was well, of the look at it. */
  readonly phasesMs: readonly number[];
}

/** What the first failover met and left. */
export interface Act {
  readonly faults: readonly Played[];
  readonly ending: Ending;
  /** What a person answered for. */
  readonly accepted: readonly Acceptance[];
  readonly before: readonly HostFacts[];
  /** Null unless it was refused with nothing changed. */
  readonly afterRefusal: readonly HostFacts[] | null;
  /** On the clock of the ledger. */
  readonly begunAt: number;
}

const VIP_WRITERS = 4;
const WRITES_BEFORE = 40;
const ATTEMPTS_AT_EACH_DOOR = 10;
/** A failover that takes longer gets everything mended: a lock that somebody holds has to be let go some time. */
const PATIENCE_MS = 20_000;
const ASK_WITHIN = '30s';
/** Nothing has died, or the watcher would have started something by then. */
const NOTICED_WITHIN_MS = 8_000;

/** One cluster, its faults, the failover, the return of everything, and the verdict. */
export async function playRound(stage: Stage, plan: Plan): Promise<{ readonly round: Round; readonly ledger: Ledger }> {
  const marks = [performance.now()];
  await resetCluster(stage, plan);
  marks.push(performance.now());
  const ledger = Ledger.start(stage.lab, { vipWriters: VIP_WRITERS });
  try {
    const scene = openScene(stage, ledger);
    const operations = await Operations.from(stage);
    const act = await perform(scene, plan, operations);
    marks.push(performance.now());
    await returnOfEverybody(scene);
    const recovery = await recoverAndGoOn(scene, plan, act);
    await ledger.stop();
    marks.push(performance.now());
    const byThemselves = stage.isWatched ? await operations.endings() : [];
    // Its rows would move while tables are compared.
    await dismissWatchers(stage);
    const evidence = await examine(scene, { plan, act, ...recovery, byThemselves });
    marks.push(performance.now());
    const round: Round = {
      ...{ plan, faults: act.faults, ending: act.ending, remedies: recovery.recovery.remedies },
      ...{ accepted: act.accepted, afterwards: recovery.afterwards, byThemselves },
      ...{ ledger: evidence.ledger, primary: evidence.primary, out: evidence.out },
      compared: Object.fromEntries([...evidence.written].map(([host, log]) => [host, log?.size ?? null])),
      violations: judgeRound(evidence),
      tookMs: Math.round((marks.at(-1) ?? 0) - (marks[0] ?? 0)),
      phasesMs: marks.slice(1).map((mark, index) => Math.round(mark - (marks[index] ?? mark))),
    };
    return { round, ledger };
  } finally {
    await ledger.stop();
  }
}

/** What the plan wants done then is done only with a cluster that takes writes. */
async function recoverAndGoOn(
  scene: Scene,
  plan: Plan,
  { ending }: Act,
): Promise<{ readonly recovery: Recovery; readonly afterwards: readonly Ending[] }> {
  const recovery = await recover(scene, ending);
  if (!recovery.isAccepted || plan.afterwards.length === 0) return { recovery, afterwards: [] };
  const endings = [ending, ...recovery.remedies.map((one) => one.ending)];
  const afterwards = await playAfterwards(scene, { wanted: plan.afterwards, endings });
  return { recovery: { ...recovery, isAccepted: await acceptsWrites(scene) }, afterwards };
}

function callFailover({ stage }: Scene, plan: Plan, person: Person): Promise<Ending> {
  const order = { cluster: CLUSTER, reason: `chaos: round ${String(plan.round)}` };
  return endingOf('failover', (options) =>
    plan.isAnswered
      ? stage.client.failover({ ...order, askWithin: ASK_WITHIN }, { ...options, onProgress: person.onProgress })
      : stage.client.failover(order, options),
  );
}

async function perform(scene: Scene, plan: Plan, operations: Operations): Promise<Act> {
  const { stage, ledger } = scene;
  await ledger.acknowledged(WRITES_BEFORE);
  const before = await allFacts(stage.lab);
  const script = new Script(scene, plan);
  const begunAt = Ledger.now();
  await script.begin();
  const person = new Person(scene);
  const begun = stage.isWatched ? await operations.begun(NOTICED_WITHIN_MS) : null;
  const calling =
    begun === null ? callFailover(scene, plan, person) : endingOfRun(stage, { runId: begun, type: 'failover' });
  const attending = person.attend(calling);
  script.callFailover();
  const soon = await Promise.race([calling, pause(PATIENCE_MS, null)]);
  const afterRefusal = soon?.kind === 'refused' && soon.changed === false ? await allFacts(stage.lab) : null;
  const faults = await script.end();
  const ending = await calling;
  await attending;
  return { faults, ending, accepted: person.accepted, before, afterRefusal, begunAt };
}

/** Whoever is off or down comes back as it would by itself: the old primary too, fenced or not. Its doors are tried until they have answered. */
async function returnOfEverybody(scene: Scene): Promise<void> {
  const { lab } = scene.stage;
  for (const host of lab.hosts) {
    await powerOn(scene, host.name);
    if (host.processes('mariadbd').length === 0) await startServer(host).catch(mayStayDown);
  }
  const since = Ledger.now();
  for (const route of [ROLES.primary, `${ROLES.primary}/socket`])
    await scene.ledger.attempted(ATTEMPTS_AT_EACH_DOOR, { route, since });
}

/** A server that the product keeps from starting stays down; whether that is right, the end of the round says. */
function mayStayDown(error: unknown): void {
  if (!(error instanceof LabError)) throw error;
}
