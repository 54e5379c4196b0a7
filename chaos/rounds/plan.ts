import type { ClusterSettings } from '../../lab/lab-files.ts';
import type { FaultKind, Role } from './catalogue.ts';
import { CATALOGUE, entryOf, ROLES } from './catalogue.ts';
import { Chance } from './chance.ts';

export type Mode = 'lossless' | 'async';

/** `begin`: the writers write. `failover`: it has been called for. `promotion`: its second step, past the point of no return, runs. */
export interface Moment {
  readonly after: 'begin' | 'failover' | 'promotion';
  readonly ms: number;
}

export interface Fault {
  readonly kind: FaultKind;
  /** Null for a fault of the control plane. */
  readonly host: string | null;
  /** The other end of a cut. */
  readonly peer: string | null;
  readonly when: Moment;
  /** Null: until the run has ended. Without meaning for a fault that is over at once. */
  readonly lastsMs: number | null;
}

/** Done with a cluster that is well again: `rejoin` of the old primary, `acker`: a replica is removed and added. */
export type Afterwards = 'rejoin' | 'acker';

export interface Plan {
  readonly round: number;
  readonly seed: number;
  readonly mode: Mode;
  readonly settings: ClusterSettings;
  readonly faults: readonly Fault[];
  /** When the failover is called for, after `begin`. */
  readonly failoverAtMs: number;
  /** Whether a person answers when the failover asks; it refuses otherwise. */
  readonly isAnswered: boolean;
  readonly afterwards: readonly Afterwards[];
}

export interface RoundName {
  readonly seed: number;
  readonly round: number;
  readonly mode: Mode;
}

const FENCES: readonly NonNullable<ClusterSettings['fence']>[] = [
  ['ssh'],
  ['ssh', 'powerOff'],
  ['ssh', 'powerOff'],
  ['ssh', 'revocation'],
  ['ssh', 'powerOff', 'revocation'],
];
const HIT_THE_PRIMARY = 0.88;
/** A primary that is soon back is only opened again: the failover itself is what most rounds are about. */
const PRIMARY_STAYS_AWAY = 0.75;
/** Most of what is lost is lost because a person has accepted it. */
const ANSWERED = 0.5;
const KEPT_ASIDE = 0.4;
const AFTERWARDS: readonly (readonly Afterwards[])[] = [
  [],
  ['rejoin'],
  ['acker'],
  ['rejoin', 'acker'],
  ['acker', 'rejoin'],
];
const MOST_BEGIN_MS = 1200;
const ROLE_NAMES = Object.keys(ROLES) as readonly Role[];

/** The same faults at the same moments for the same name, whatever was played before. */
export function composeRound(name: RoundName): Plan {
  const chance = new Chance(`${String(name.seed)}/${String(name.round)}/${name.mode}`);
  const settings: ClusterSettings = {
    mode: name.mode === 'lossless' ? 'semisync' : 'async',
    fence: chance.oneOf(FENCES),
    alone: chance.happens(0.2) ? 'stop' : 'async',
    lagFail: '3s',
    salvage: chance.happens(KEPT_ASIDE) ? 'quarantine' : 'apply',
  };
  const count = chance.between(1, 4);
  const faults: Fault[] = [];
  if (chance.happens(HIT_THE_PRIMARY)) faults.push(endOfPrimary(chance));
  while (faults.length < count) {
    const next = another(chance, faults);
    if (next !== null) faults.push(next);
  }
  const begun = faults.filter((fault) => fault.when.after === 'begin').map((fault) => fault.when.ms);
  const failoverAtMs = Math.max(0, ...begun) + chance.between(50, 900);
  return {
    ...{ ...name, settings, faults: faults.toSorted(inTime), failoverAtMs },
    isAnswered: chance.happens(ANSWERED),
    afterwards: chance.oneOf(AFTERWARDS),
  };
}

function endOfPrimary(chance: Chance): Fault {
  const { kind } = chance.weighted(CATALOGUE.filter((entry) => entry.endsPrimary));
  const fault = make(chance, { kind, role: 'primary', when: { after: 'begin', ms: chance.between(0, MOST_BEGIN_MS) } });
  return chance.happens(PRIMARY_STAYS_AWAY) ? { ...fault, lastsMs: null } : fault;
}

/** Null when the chosen one is there already: one host is killed once, one worker at a time. */
function another(chance: Chance, chosen: readonly Fault[]): Fault | null {
  const entry = chance.weighted(CATALOGUE.filter((one) => !one.endsPrimary || one.roles.length > 1));
  // A second end of the primary is no more than the first.
  const roles = entry.roles.filter((role) => role !== 'primary' || !entry.endsPrimary);
  const role = entry.roles.length === 0 ? null : chance.oneOf(roles);
  const fault = make(chance, { kind: entry.kind, role, when: momentOf(chance, role) });
  const same = chosen.some((one) => one.kind === fault.kind && one.host === fault.host);
  return same ? null : fault;
}

/** Faults of the control plane are only felt while the failover runs. */
function momentOf(chance: Chance, role: Role | null): Moment {
  const after = role === null ? chance.oneOf(['failover', 'failover', 'promotion'] as const) : placeOf(chance);
  const most = { begin: MOST_BEGIN_MS, failover: 2500, promotion: 400 }[after];
  return { after, ms: chance.between(0, most) };
}

const placeOf = (chance: Chance): Moment['after'] =>
  chance.oneOf(['begin', 'begin', 'begin', 'failover', 'failover', 'promotion'] as const);

interface Choice {
  readonly kind: FaultKind;
  readonly role: Role | null;
  readonly when: Moment;
}

function make(chance: Chance, { kind, role, when }: Choice): Fault {
  const { lasts, mayLast } = entryOf(kind);
  const stays = lasts === null || (mayLast && chance.happens(0.5));
  const peers = ROLE_NAMES.filter((other) => other !== role);
  const isCut = kind === 'cut' || kind === 'one-way-cut';
  return {
    ...{ kind, when, host: role === null ? null : ROLES[role] },
    peer: isCut ? ROLES[chance.oneOf(peers)] : kind === 'control-cut' ? 'control' : null,
    lastsMs: stays ? null : chance.between(...lasts),
  };
}

const ORDER = { begin: 0, failover: 1, promotion: 2 } as const;
const inTime = (left: Fault, right: Fault): number =>
  ORDER[left.when.after] - ORDER[right.when.after] || left.when.ms - right.when.ms;

export const hostsHit = (plan: Plan): ReadonlySet<string> =>
  new Set(plan.faults.flatMap(({ host, peer }) => [host, peer]).filter((name) => name !== null));

/** As a line of the report: `kill db1 @begin+300 (until the end)`. */
export function describeFault({ kind, host, peer, when, lastsMs }: Fault): string {
  const where = [host, peer].filter((name) => name !== null).join(kind === 'one-way-cut' ? '→' : '-');
  const long = entryOf(kind).lasts === null ? '' : lastsMs === null ? ' for long' : ` for ${String(lastsMs)} ms`;
  return `${kind}${where === '' ? '' : ` ${where}`} @${when.after}+${String(when.ms)}${long}`;
}
