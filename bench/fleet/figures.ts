import type { Transition } from '../../domain/watch.ts';
import type { Figures } from '../figures.ts';
import type { Looked } from './looks.ts';
import type { Member } from './members.ts';
import { HEALTHY, lastWords } from './watch-run.ts';

export interface MeasuredFleet {
  readonly name: 'fleet';
  readonly clusters: number;
  readonly hosts: number;
  /** Length of the measured interval. */
  readonly seconds: number;
  /** Processor seconds of the watching process in a second of the interval. */
  readonly coreShare: number;
  readonly probes: number;
  /** History events of the watching run, for each probe that was answered. */
  readonly eventsPerHealthyProbe: number;
  /** Writes of the Temporal server to its store, less what it writes without a watcher. */
  readonly serverWritesPerSecond: number;
  /** Rows of heartbeats that the watcher writes to the databases. */
  readonly heartbeatWritesPerSecond: number;
  /** Requests to host helpers. */
  readonly requestsPerSecond: number;
  /** Milliseconds between two looks at one host. */
  readonly periodMs: Figures;
  /** From the start of the watcher until every host had been looked at. */
  readonly startSeconds: number;
  /** Of the watching process. */
  readonly peakMib: number;
  /** From a killed primary to the instant at which the watcher tells of it. */
  readonly detectedMs: number;
  readonly floor: { readonly coreShare: number };
  /** The watcher's share of a core by the floor's. */
  readonly ratio: number;
  /** Why the figures say nothing of the software; null: they count. */
  readonly invalid: string | null;
}

/** What one of the figures must be judged by. */
export interface Seen {
  readonly looked: Looked;
  readonly members: readonly Member[];
  readonly periodMs: number;
  /** All that the watcher told until the end of the interval, and how much of it before. */
  readonly told: readonly Transition[];
  readonly toldBefore: number;
}

const SHOWN = 3;
/** The first few, for a sentence. */
export const some = (all: readonly string[]): string =>
  `${all.slice(0, SHOWN).join(', ')}${all.length > SHOWN ? ` and ${String(all.length - SHOWN)} more` : ''}`;

/** Hosts of which the watcher does not say last that all is well. */
export function unwellOf(members: readonly Member[], told: readonly Transition[]): readonly string[] {
  const words = lastWords(told);
  return members
    .map((one) => ({ ...one, code: words.get(`${one.cluster}/${one.name}`) ?? 'nothing was told' }))
    .filter(({ role, code }) => code !== HEALTHY[role])
    .map(({ cluster, name, code }) => `${cluster}/${name} (${code})`);
}

/** Reasons for which the figures do not count; none: they do. */
export function doubts({ looked, members, periodMs, told, toldBefore }: Seen): readonly string[] {
  const unwell = unwellOf(members, told);
  const changes = told.slice(toldBefore).map(({ cluster, host, code }) => `${cluster}/${host} (${code})`);
  return [
    ...(looked.unknown.length === 0 ? [] : [`the simulated hosts do not know ${some(looked.unknown)}`]),
    ...(looked.periodMs.p99 <= 2 * periodMs
      ? []
      : [`looks are late: p99 ${String(looked.periodMs.p99)} ms between two at a period of ${String(periodMs)} ms`]),
    ...(unwell.length === 0 ? [] : [`hosts that are well are not seen so: ${some(unwell)}`]),
    ...(changes.length === 0 ? [] : [`something was told of clusters to which nothing happens: ${some(changes)}`]),
  ];
}

const row = (label: string, value: string): string => `  ${label.padEnd(34)} ${value}`;

export const asFleetTable = (one: MeasuredFleet): string =>
  [
    `fleet: ${String(one.clusters)} clusters, ${String(one.hosts)} hosts, ${String(one.seconds)} s`,
    row('cores, watcher / floor', `${String(one.coreShare)} / ${String(one.floor.coreShare)}  (${String(one.ratio)})`),
    row('probes answered', String(one.probes)),
    row('ms between looks, p50 / p99 / max', Object.values(one.periodMs).map(String).join(' / ')),
    row('history events a probe', String(one.eventsPerHealthyProbe)),
    row('writes a second, Temporal', String(one.serverWritesPerSecond)),
    row('writes a second, databases', String(one.heartbeatWritesPerSecond)),
    row('host helper requests a second', String(one.requestsPerSecond)),
    row('seconds until all were watched', String(one.startSeconds)),
    row('most memory, MiB', String(one.peakMib)),
    row('ms until a death is told', String(one.detectedMs)),
    ...(one.invalid === null ? [] : [`INVALID: ${one.invalid}`]),
  ].join('\n');
