import type { Attempt } from './attempt.ts';

export interface Evidence {
  readonly attempts: readonly Attempt[];
  /** Tokens of all rows on the final primary; a token on two rows stands here twice. */
  readonly onPrimary: readonly string[];
  /** When the fault was made, in microseconds of CLOCK_MONOTONIC. */
  readonly faultAt?: number;
  /** Server IDs in the order in which they were meant to be primary; by default each one once, in order of their first acknowledgement. */
  readonly succession?: readonly number[];
}

/** An acknowledgement by a server that had been succeeded before that write was even begun. */
export interface Violation {
  readonly token: string;
  readonly route: string;
  readonly serverId: number;
  readonly sentAt: number;
  /** The server that had taken over, and its acknowledgement that ended before this write was sent. */
  readonly successor: number;
  readonly successorToken: string;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly present: number;
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** Refused by a server, and yet there. */
  readonly refusedButPresent: readonly string[];
  readonly unknown: number;
  readonly unknownPresent: number;
  readonly twoWriters: readonly Violation[];
  /** From the fault to the first write accepted through the VIP after it; absent without a fault, or when there was none. */
  readonly writeOutageMs?: number;
  /** Longest time between two acknowledgements through the VIP, all writers together. */
  readonly largestVipGapMs: number;
}

type Acknowledgement = Attempt & { readonly serverId: number };

export function judge(evidence: Evidence): Verdict {
  const acks = acknowledgements(evidence.attempts);
  const rows = new Map<string, number>();
  for (const token of evidence.onPrimary) rows.set(token, (rows.get(token) ?? 0) + 1);
  const tokensOf = (outcome: Attempt['outcome']): readonly string[] =>
    evidence.attempts.filter((attempt) => attempt.outcome === outcome).map((attempt) => attempt.token);
  const lost = acks.filter((ack) => !rows.has(ack.token)).map((ack) => ack.token);
  const unknown = tokensOf('unknown');
  const outage = evidence.faultAt === undefined ? undefined : outageMs(acks, evidence.faultAt);
  return {
    acknowledged: acks.length,
    present: acks.length - lost.length,
    lost,
    duplicated: [...rows].filter(([, count]) => count > 1).map(([token]) => token),
    refusedButPresent: tokensOf('refused').filter((token) => rows.has(token)),
    unknown: unknown.length,
    unknownPresent: unknown.filter((token) => rows.has(token)).length,
    twoWriters: findTwoWriters(acks, evidence.succession ?? firstSeen(acks)),
    ...(outage === undefined ? {} : { writeOutageMs: outage }),
    largestVipGapMs: largestGapMs(throughVip(acks)),
  };
}

/** In the order in which clients saw them. */
function acknowledgements(attempts: readonly Attempt[]): readonly Acknowledgement[] {
  return attempts
    .filter((attempt): attempt is Acknowledgement => attempt.outcome === 'ack' && attempt.serverId !== undefined)
    .toSorted((a, b) => a.endedAt - b.endedAt);
}

function throughVip(acks: readonly Acknowledgement[]): readonly Acknowledgement[] {
  return acks.filter((ack) => ack.route === 'vip');
}

function firstSeen(acks: readonly Acknowledgement[]): readonly number[] {
  return [...new Set(acks.map((ack) => ack.serverId))];
}

/**
 * Walks along the succession. The time at which a server wrote lies between `sentAt` and `endedAt`, so a late reading of an old
 * acknowledgement is no violation; one whose write was *begun* after the successor's acknowledgement had *arrived* is, for certain.
 */
function findTwoWriters(acks: readonly Acknowledgement[], succession: readonly number[]): readonly Violation[] {
  const violations: Violation[] = [];
  let reign = 0;
  let first = acks[0];
  for (const ack of acks) {
    if (ack.serverId === succession[reign]) {
      if (first?.serverId !== ack.serverId) first = ack;
      continue;
    }
    if (ack.serverId === succession[reign + 1]) {
      reign += 1;
      first = ack;
      continue;
    }
    if (first !== undefined && first.serverId !== ack.serverId && ack.sentAt > first.endedAt) {
      violations.push({
        ...{ token: ack.token, route: ack.route, serverId: ack.serverId, sentAt: ack.sentAt },
        ...{ successor: first.serverId, successorToken: first.token },
      });
    }
  }
  return violations;
}

function outageMs(acks: readonly Acknowledgement[], faultAt: number): number | undefined {
  const vip = throughVip(acks);
  const before = vip.findLast((ack) => ack.sentAt <= faultAt);
  // A signal takes effect a moment after the time that was noted, so the old server's last words do not end the outage.
  const successor = vip.find((ack) => ack.sentAt > faultAt && ack.serverId !== before?.serverId);
  const end =
    successor ??
    endOfLargestGap(
      vip.filter((ack) => ack.endedAt >= (before?.endedAt ?? faultAt)),
      faultAt,
    );
  return end === undefined ? undefined : (end.endedAt - faultAt) / 1000;
}

function endOfLargestGap(acks: readonly Acknowledgement[], faultAt: number): Acknowledgement | undefined {
  let longest = -1;
  let found: Acknowledgement | undefined;
  acks.forEach((ack, index) => {
    const gap = ack.endedAt - (acks[index - 1]?.endedAt ?? faultAt);
    if (ack.sentAt <= faultAt || gap <= longest) return;
    longest = gap;
    found = ack;
  });
  return found;
}

function largestGapMs(acks: readonly Acknowledgement[]): number {
  const gaps = acks.map((ack, index) => ack.endedAt - (acks[index - 1]?.endedAt ?? ack.endedAt));
  return gaps.reduce((largest, gap) => Math.max(largest, gap), 0) / 1000;
}
