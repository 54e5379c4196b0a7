import type { Verdict as ProductVerdict } from '../../client/index.ts';
import type { Verdict as LedgerVerdict } from '../../lab/ledger/verdict.ts';
import { ROLES } from './catalogue.ts';
import type { LossEvidence } from './losses.ts';
import { judgeLosses } from './losses.ts';
import type { Ending } from './ending.ts';
import type { HostFacts } from './outside.ts';
import { followsSoundly } from './outside.ts';

export interface Violation {
  /** I1 to I10 of docs/invariants.md. */
  readonly invariant: string;
  readonly what: string;
}

/** Everything that a round left to be judged by; all of it was seen from outside, but for what the operations said. */
export interface Evidence extends Pick<LossEvidence, 'present' | 'written'> {
  /** The first failover, then everything that was done until the cluster was well again. */
  readonly endings: readonly Ending[];
  /** Of them, what was done with a cluster that was well again. */
  readonly afterwards: readonly Ending[];
  /** A failover that was called for when all was well again; null when that never was. */
  readonly again: Ending | null;
  readonly isAccepted: boolean;
  readonly ledger: LedgerVerdict;
  readonly hosts: readonly HostFacts[];
  readonly before: readonly HostFacts[];
  /** After the first failover was refused with nothing changed; null when it was not. */
  readonly afterRefusal: readonly HostFacts[] | null;
  readonly arpHolder: string | null;
  readonly stillRunning: readonly string[];
  readonly differingTables: readonly string[];
  readonly verdict: ProductVerdict | null;
  /** Hosts that a fault has hit in a way that may cost them their place, as errant transactions do. */
  readonly touched: ReadonlySet<string>;
  /** Errant transactions that the round itself made, by host. */
  readonly errantOn: ReadonlySet<string>;
}

type Rule = (evidence: Evidence) => readonly Violation[];

const violation = (invariant: string, what: string): Violation => ({ invariant, what });

const RULES: readonly Rule[] = [
  nothingLost,
  oneWriterAtATime,
  writesAccepted,
  converged,
  noSilentErrant,
  vipOnTheWriter,
  everythingEnded,
  refusalsChangeNothing,
  sameData,
  sparesTheWell,
  returnedOrDown,
  outAndIn,
];

export const judgeRound = (evidence: Evidence): readonly Violation[] => RULES.flatMap((rule) => rule(evidence));

const writers = ({ hosts }: Evidence): readonly HostFacts[] =>
  hosts.filter(({ server }) => server !== null && !server.readOnly);

function nothingLost(evidence: Evidence): readonly Violation[] {
  const { ledger } = evidence;
  const found = judgeLosses({ ...evidence, lost: ledger.lost }).map((what) => violation('I1', what));
  if (ledger.duplicated.length > 0)
    found.push(violation('I1', `${String(ledger.duplicated.length)} writes are there twice`));
  if (ledger.refusedButPresent.length > 0)
    found.push(violation('I1', `${String(ledger.refusedButPresent.length)} writes were refused and are there`));
  return found;
}

function oneWriterAtATime({ ledger }: Evidence): readonly Violation[] {
  const first = ledger.twoWriters[0];
  if (first === undefined) return [];
  return [
    violation(
      'I2',
      `${String(ledger.twoWriters.length)} writes were acknowledged by a deposed server: the first by server ${String(first.serverId)} through ${first.route}, begun after server ${String(first.successor)} had acknowledged`,
    ),
  ];
}

function writesAccepted({ isAccepted, endings }: Evidence): readonly Violation[] {
  if (isAccepted) return [];
  const done = endings.map(({ operation, type }) => `${operation} (${type})`).join(', ');
  return [violation('I7', `stuck: no writes through the VIP after ${done}`)];
}

/** One writable server; every other one closed, and replicating from it unless something has cost it its place. */
function converged(evidence: Evidence): readonly Violation[] {
  const open = writers(evidence);
  const [primary] = open;
  if (open.length !== 1 || primary === undefined)
    return [
      violation(
        'I4',
        `${String(open.length)} servers are writable: ${open.map(({ host }) => host).join(', ') || 'none'}`,
      ),
    ];
  const named = new Set(
    (evidence.verdict?.findings ?? []).filter(({ severity }) => severity === 'bad').map(({ host }) => host),
  );
  return evidence.hosts
    .filter((entry) => entry !== primary && !followsSoundly(entry, primary, evidence.hosts))
    .flatMap((entry) => {
      const what = `${entry.host} does not replicate from ${primary.host} (${channelsOf(entry)})`;
      if (!evidence.touched.has(entry.host)) return [violation('I4', `${what}, and no fault has hit it`)];
      return named.has(entry.host) ? [] : [violation('I4', `${what}, and the verification does not say so`)];
    });
}

const channelsOf = ({ isOn, server }: HostFacts): string =>
  !isOn
    ? 'off'
    : server === null
      ? 'no server answers'
      : server.channels
          .map((one) =>
            `from ${one.sourceAddress}: receiver ${one.receiver}, applier ${one.applier} ${one.error}`.trim(),
          )
          .join('; ') || 'no channel';

/** What the round itself wrote on a replica has to be named, as long as that replica is one. */
function noSilentErrant({ errantOn, verdict, hosts }: Evidence): readonly Violation[] {
  const [primary] = hosts.filter(({ server }) => server !== null && !server.readOnly);
  return [...errantOn]
    .filter((host) => host !== primary?.host && hosts.some((entry) => entry.host === host && entry.server !== null))
    .filter((host) => !(verdict?.findings ?? []).some((one) => one.host === host && one.severity === 'bad'))
    .map((host) => violation('I5', `${host} has an errant transaction, and the verification does not say so`));
}

function vipOnTheWriter(evidence: Evidence): readonly Violation[] {
  const [primary] = writers(evidence);
  if (primary === undefined) return [];
  const holders = evidence.hosts.filter(({ holdsVip }) => holdsVip).map(({ host }) => host);
  const mute = evidence.hosts.filter(({ isOn, records }) => isOn && records === null).map(({ host }) => host);
  const unseen = mute.length === 0 ? '' : ` (${mute.join(' and ')} could not be looked at)`;
  const found: Violation[] = [];
  if (holders.join('+') !== primary.host)
    found.push(
      violation('I6', `the VIP is on ${holders.join(' and ') || 'no host'}${unseen}, and ${primary.host} is writable`),
    );
  if (evidence.arpHolder !== primary.host)
    found.push(
      violation('I6', `${evidence.arpHolder ?? 'nobody'} answers ARP for the VIP, and ${primary.host} is writable`),
    );
  return found;
}

function everythingEnded({ endings, stillRunning }: Evidence): readonly Violation[] {
  return [
    ...stillRunning.map((run) => violation('I7', `${run} still runs`)),
    ...endings
      .filter(({ kind }) => kind === 'hanging' || kind === 'unnamed')
      .map(({ operation, kind, sentence }) => violation('I7', `${operation} ended ${kind}: ${sentence}`)),
  ];
}

/** Whoever says that nothing was changed has changed no record and closed no server. */
function refusalsChangeNothing({ before, afterRefusal }: Evidence): readonly Violation[] {
  if (afterRefusal === null) return [];
  return afterRefusal.flatMap(({ host, records: after }) => {
    const earlier = before.find((entry) => entry.host === host)?.records ?? null;
    if (earlier === null || after === null) return [];
    return (['primary', 'sync', 'fenced'] as const)
      .filter((record) => earlier[record] !== after[record])
      .map((record) =>
        violation(
          'I7',
          `"nothing was changed", but ${record} on ${host} was "${earlier[record]}" and is "${after[record]}"`,
        ),
      );
  });
}

function sameData({ differingTables }: Evidence): readonly Violation[] {
  if (differingTables.length === 0) return [];
  return [violation('I10', `tables differ between the primary and its replicas: ${differingTables.join(', ')}`)];
}

function sparesTheWell({ again }: Evidence): readonly Violation[] {
  if (again === null || (again.kind === 'refused' && again.changed === false)) return [];
  return [
    violation('I8', `a failover of a cluster that is well ended ${again.kind} (${again.type}): ${again.sentence}`),
  ];
}

/** Who was proven to follow follows; who has what nobody else has is down. */
function returnedOrDown({ endings, hosts }: Evidence): readonly Violation[] {
  const [primary] = hosts.filter(({ server }) => server !== null && !server.readOnly);
  return endings.flatMap(({ operation, type, setAside }) => {
    const entry = hosts.find(({ host }) => host === (setAside?.host ?? /^rejoin (\S+)$/.exec(operation)?.[1]));
    if (entry === undefined || primary === undefined) return [];
    if (type === 'rejoined' && !followsSoundly(entry, primary, hosts))
      return [violation('I4', `${operation} was done, and ${entry.host} does not replicate (${channelsOf(entry)})`)];
    if (type === 'quarantined' && entry.server !== null)
      return [violation('I5', `${entry.host} has what nobody else has, and its server runs`)];
    return [];
  });
}

/** Nothing was broken any more: what is not done is refused by a rule, and who was taken out can be let in. */
function outAndIn({ afterwards }: Evidence): readonly Violation[] {
  const byRule = ({ operation, kind, type }: Ending): boolean =>
    kind === 'refused' && type === 'Unsafe' && !operation.startsWith('acker add');
  return afterwards
    .filter((one) => one.kind !== 'done' && !byRule(one))
    .map(({ operation, kind, type, sentence }) =>
      violation('I7', `in a cluster that was well, ${operation} ended ${kind} (${type}): ${sentence}`),
    );
}

/**
 * Server IDs in the order in which the operations made them primary; undefined when one of those that acknowledged is not among them, as after a
 * promotion whose operation could not report. Then each has reigned once, in the order of their first acknowledgements.
 */
export function successionOf(
  endings: readonly Ending[],
  { hosts, acknowledgedBy }: { readonly hosts: readonly string[]; readonly acknowledgedBy: ReadonlySet<number> },
): readonly number[] | undefined {
  const reigns = [ROLES.primary, ...endings.flatMap(({ newPrimary }) => newPrimary ?? [])];
  const ids = reigns.filter((host, index) => host !== reigns[index - 1]).map((host) => hosts.indexOf(host) + 1);
  return [...acknowledgedBy].every((id) => ids.includes(id)) ? ids : undefined;
}
