import type { HostName } from '../cluster.ts';
import type { AuditFacts, LinkFacts, RoundTrip } from './facts.ts';
import { databases } from './rule.ts';

/** What the distance between two hosts does to replication. Between Oslo and Frankfurt there are about 25 ms, to New York 110. */
export type LatencyClass = 'negligible' | 'low' | 'high';

const NEGLIGIBLE_MS = 1;
const HIGH_MS = 60;

export function latencyClass({ p50Ms }: Pick<RoundTrip, 'p50Ms'>): LatencyClass {
  if (p50Ms < NEGLIGIBLE_MS) return 'negligible';
  return p50Ms < HIGH_MS ? 'low' : 'high';
}

/** A measured link with what it costs. */
export interface LinkCost extends RoundTrip {
  readonly from: HostName;
  readonly to: HostName;
  readonly class: LatencyClass;
  /** Most commits a second on one connection, when `to` acknowledges each for `from`; null in the mode async. */
  readonly commitsPerSecond: number | null;
  /** A row is there half a round trip after it was committed, at the earliest. */
  readonly lagMs: number;
  /** How much of each second the link needs for what the primary writes now; null: either is not known. */
  readonly busy: number | null;
}

const MEGABIT = 125_000;

export function costOf(facts: AuditFacts, { from, to, roundTrip }: LinkFacts): LinkCost | null {
  if (roundTrip.kind === 'not-seen') return null;
  const { p50Ms } = roundTrip.value;
  return {
    from,
    to,
    ...roundTrip.value,
    class: latencyClass(roundTrip.value),
    commitsPerSecond: facts.cluster.mode === 'semisync' ? Math.floor(1_000 / Math.max(p50Ms, 0.001)) : null,
    lagMs: p50Ms / 2,
    busy: busyShare(facts, from, to),
  };
}

function busyShare(facts: AuditFacts, from: HostName, to: HostName): number | null {
  const writer = databases(facts).find(({ host }) => host === from);
  const bytes = writer?.server.kind === 'seen' ? writer.server.value.binlogBytesPerSecond : null;
  const speeds = [from, to].map((name) => {
    const machine = facts.hosts.find(({ host }) => host === name)?.machine;
    return machine?.kind === 'seen' ? machine.value.linkMbits : null;
  });
  if (bytes === null || speeds.includes(null)) return null;
  return bytes / (Math.min(...speeds.map(Number)) * MEGABIT);
}
