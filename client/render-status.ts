import type { EndedRun, RunningRun } from '../domain/cluster-runs.ts';
import type { ProtectionState } from '../domain/protection.ts';
import type { Paint } from './paint.ts';
import { renderDuration } from './render-quantities.ts';
import { renderTable } from './render-table.ts';
import type { HostStatus, StatusView } from './status-view.ts';

const COLOURS = { protected: 'good', 'not-protected': 'bad', 'not-known': 'warn' } as const satisfies Record<
  ProtectionState,
  keyof Paint
>;

/** The sentence, the hosts, who follows whom, what is on record and in Temporal, what is wrong, and what to do next. */
export function renderStatus(view: StatusView, paint: Paint): string {
  return [
    sentenceLine(view, paint),
    renderHosts(view),
    renderTopology(view),
    renderFacts(view).join('\n'),
    ...renderFaults(view, paint),
    `next: ${paint.strong(view.next)}`,
  ].join('\n\n');
}

/** A line for each cluster, the worst first. */
export function renderStatusList(views: readonly StatusView[], paint: Paint): string {
  const [worst] = views;
  const next = worst === undefined ? 'add a cluster to the inventory' : `standfast status ${worst.cluster}`;
  return [...views.map((view) => sentenceLine(view, paint)), '', `next: ${paint.strong(next)}`].join('\n');
}

const sentenceLine = ({ state, sentence }: StatusView, paint: Paint): string => paint[COLOURS[state]](sentence);

const yesNo = (value: boolean | null): string => (value === null ? '?' : value ? 'yes' : 'no');

function renderHosts({ hosts }: StatusView): string {
  const head = ['HOST', 'ROLE', 'SERVER', 'VIP', 'FROM', 'IO', 'SQL', 'LAG', 'BEHIND', 'ACKS', 'RECORDS', 'TAKES OVER'];
  return renderTable(
    head,
    hosts.map((one) => [
      one.host,
      one.role,
      serverWord(one),
      one.vip === null ? '?' : one.vip ? 'VIP' : '-',
      ...(isFollower(one) ? followerCells(one) : ['-', '-', '-', '-', '-', '-']),
      one.records ?? '?',
      one.takeover === null ? '-' : takeoverWord(one.takeover),
    ]),
  );
}

const isFollower = ({ role, server }: HostStatus): boolean =>
  (role === 'replica' || role === 'unknown') && server !== null;

const followerCells = (one: HostStatus): readonly string[] => [
  one.source ?? (one.receiver === null ? '?' : 'unknown'),
  one.receiver ?? '?',
  one.applier ?? '?',
  one.lagMs === null ? '?' : renderDuration(one.lagMs),
  one.gtidGap === null ? '?' : `${String(one.gtidGap)} trx`,
  yesNo(one.acknowledges),
];

function serverWord({ server, fenced }: HostStatus): string {
  if (server === null) return '-';
  if (server === 'open') return 'accepts writes';
  if (server === 'closed') return 'read-only';
  return fenced === true ? 'fenced' : server;
}

function takeoverWord({ isReady, loss, lacks, why }: NonNullable<HostStatus['takeover']>): string {
  if (!isReady) return `no: ${why}`;
  if (loss === 'none') return 'without loss';
  if (loss === 'later-writes') return 'later writes can be lost';
  return lacks === null || lacks === 0 ? 'loss not known' : `lacks ${String(lacks)} trx`;
}

/** Whoever follows nobody that is shown stands at the edge. */
function renderTopology({ hosts }: StatusView): string {
  const servers = hosts.filter(({ server }) => server !== null);
  const names = servers.map(({ host }) => host);
  const isRoot = ({ source, role }: HostStatus): boolean =>
    role === 'primary' || source === null || !names.includes(source);
  const shown = new Set<string>();
  const lines: string[] = [];
  const draw = (one: HostStatus, indent: string): void => {
    shown.add(one.host);
    lines.push(`${one.host}  ${topologyWords(one).join(', ')}`);
    const followers = servers.filter(({ host, source }) => source === one.host && !shown.has(host));
    for (const [index, follower] of followers.entries()) {
      const isLast = index === followers.length - 1;
      const at = lines.length;
      draw(follower, `${indent}${isLast ? '   ' : '│  '}`);
      lines[at] = `${indent}${isLast ? '└─ ' : '├─ '}${lines[at] ?? ''}`;
    }
  };
  const primaries = servers.filter(({ role }) => role === 'primary');
  for (const one of [...primaries, ...servers.filter(isRoot), ...servers]) if (!shown.has(one.host)) draw(one, '');
  return lines.map((line) => `  ${line}`).join('\n');
}

const topologyWords = (one: HostStatus): readonly string[] => [
  ...(one.role === 'primary' ? ['primary'] : []),
  serverWord(one),
  ...(one.vip === true ? ['VIP'] : []),
  ...(one.role !== 'primary' && one.acknowledges === true ? ['acknowledges'] : []),
];

function renderFacts(view: StatusView): readonly string[] {
  const { runs, temporal } = view;
  const told = (name: string, say: (known: NonNullable<StatusView['runs']>) => string): string =>
    line(name, runs === null ? '? (Temporal did not tell)' : say(runs));
  return [
    line('primary', primaryFact(view)),
    line('writes', writesFact(view)),
    ...(view.verdict === null ? [] : [line('health', view.verdict.sentence)]),
    told('operation', ({ operation }) => (operation === null ? 'none' : runFact(operation))),
    ...(runs?.others ?? []).map((run) => line('beside it', runFact(run))),
    told('verified', ({ lastVerification }) => endedFact(lastVerification, 'not as long as Temporal remembers')),
    told('failover', ({ lastFailover }) => endedFact(lastFailover, 'none that Temporal remembers')),
    told('watched', ({ watcher }) => (watcher === null ? 'by nobody: no failover starts by itself' : `by ${watcher}`)),
    ...(temporal === null ? [] : [line('Temporal', temporal)]),
    line('seen', `${view.at}, by the clock of this machine`),
  ];
}

const line = (name: string, fact: string): string => `  ${name.padEnd(9)}  ${fact}`;

function primaryFact({ primary, agreeing, members }: StatusView): string {
  if (primary === null) return 'not known';
  return `${primary.host}, on record since epoch ${String(primary.epoch)} by ${String(agreeing)} of ${String(members)} members`;
}

function writesFact({ sync }: StatusView): string {
  if (sync === null) return 'nothing is on record about acknowledgements';
  if (sync.mode === 'async') return `async since epoch ${String(sync.epoch)}: acknowledged by nobody`;
  const who = sync.ackers.length > sync.k ? `${String(sync.k)} of ${sync.ackers.join(', ')}` : sync.ackers.join(', ');
  return `lossless since epoch ${String(sync.epoch)}: each is acknowledged by ${who}`;
}

const runFact = ({ type, workflowId, since, phase, asksPerson }: RunningRun): string =>
  `${type} as ${workflowId} since ${since}${phase === null ? '' : `, at "${phase}"`}${asksPerson ? ': waits for a person' : ''}`;

const endedFact = (run: EndedRun | null, never: string): string =>
  run === null ? never : `${run.at}, ${run.outcome} (${run.workflowId})`;

/** Of a host that was not seen they say no more than that. */
const SILENCES = ['ReplicaDown', 'PrimaryDown', 'HelperSilent'];

function renderFaults({ reasons, verdict }: StatusView, paint: Paint): readonly string[] {
  const told = new Set(reasons.map(({ explains }) => explains));
  const unseen = new Set(reasons.filter(({ code }) => code === 'HostUnseen').map(({ host }) => host));
  const findings = (verdict?.findings ?? []).filter(
    ({ explains, code, host }) => !told.has(explains) && !(SILENCES.includes(code) && unseen.has(host)),
  );
  const faults = [
    ...reasons.map((one) => ({
      ...one,
      mark: one.state === 'not-protected' ? paint.bad('BAD') : paint.warn('UNSEEN'),
    })),
    ...findings.map((one) => ({ ...one, mark: one.severity === 'bad' ? paint.bad('BAD') : paint.warn('warning') })),
  ];
  if (faults.length === 0) return [];
  return [
    faults.map(({ mark, code, explains, remedy }) => `${mark} ${code}: ${explains}\n  fix: ${remedy}`).join('\n'),
  ];
}
