import type { FailoverResult, Verdict as ReplicationVerdict } from '../client/index.ts';
import { compareServers } from '../lab/checksums.ts';
import type { Comparison } from '../lab/checksums.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { Verdict } from '../lab/ledger/verdict.ts';
import { killRunningWorker } from './kill.ts';
import type { Murder } from './kill.ts';
import { CLUSTER } from './stage.ts';
import type { Stage } from './stage.ts';

/** Everything that one failover left to be judged by. */
export interface Act {
  readonly before: ReplicationVerdict;
  readonly failover: FailoverResult;
  readonly killedAtIso: string;
  readonly murder: Murder;
  readonly ledger: Verdict;
  readonly comparison: Comparison;
}

export interface ActOptions {
  /** How the primary dies. */
  readonly death: 'mysqld' | 'power';
  /** Milliseconds between the start of the step and the death of its worker. */
  readonly workerDelayMs: number;
  readonly tell: (line: string) => void;
}

const WRITES_BEFORE = 50;
const WRITES_AFTER = 200;

/** The primary dies under load, the worker that repairs it dies too, and the other one finishes. */
export async function playFailover(stage: Stage, ledger: Ledger, options: ActOptions): Promise<Act> {
  const { lab, client } = stage;
  const { tell } = options;
  const { verdict: before } = await client.status(CLUSTER);
  tell(`before: ${before.sentence}`);
  const victim = before.primary;
  await ledger.acknowledged(WRITES_BEFORE, { since: Ledger.now() });
  const [faultAt, killedAtIso] = [Ledger.now(), new Date().toISOString()];
  if (options.death === 'power') await lab.host(victim).powerOff();
  else lab.host(victim).signal('mariadbd', 'SIGKILL');
  tell(options.death === 'power' ? `${victim} lost its power` : `mariadbd on ${victim} was killed (SIGKILL)`);
  const running = client.failover({ cluster: CLUSTER, reason: 'the demo killed it' });
  const [failover, murder] = await Promise.all([running, killRunningWorker(stage, options.workerDelayMs)]);
  tell(`the worker in the middle of ${murder.activity} was killed (SIGKILL); the other one finished`);
  await ledger.acknowledged(WRITES_AFTER, { since: Ledger.now() });
  await ledger.stop();
  const survivors = lab.hosts.filter((host) => host.name !== victim).map((host) => host.name);
  const comparison = await compareServers(lab, failover.newPrimary, survivors);
  return {
    before,
    failover,
    killedAtIso,
    murder,
    ledger: await ledger.verdict({ primary: failover.newPrimary, faultAt }),
    comparison,
  };
}

/** What a run of the demo promises; the names of the promises that did not hold. */
export function brokenPromises(act: Act): readonly string[] {
  const { ledger, comparison, failover } = act;
  const bad = failover.verdict?.findings.filter(
    (finding) => finding.severity === 'bad' && finding.host !== failover.oldPrimary,
  );
  const promises: readonly (readonly [string, boolean])[] = [
    ['every acknowledged write is there', ledger.lost.length === 0],
    ['no write is there twice', ledger.duplicated.length === 0],
    ['never two servers that acknowledge writes', ledger.twoWriters.length === 0],
    ['writes are accepted again through the VIP', ledger.writeOutageMs !== undefined],
    ['the servers are equal', comparison.differing.length === 0 && comparison.tables > 0],
    ['the survivors are healthy', bad?.length === 0],
  ];
  return promises.flatMap(([name, held]) => (held ? [] : [name]));
}
