import { Chance } from '../rounds/chance.ts';
import type { BlipKind } from './catalogue.ts';
import { entryOf, KINDS } from './catalogue.ts';

export interface BlipName {
  readonly seed: number;
  readonly round: number;
}

export interface Blip extends BlipName {
  readonly kind: BlipKind;
  /** Null: the watcher alone. */
  readonly host: string | null;
  /** How long all is well before it. */
  readonly pauseMs: number;
  readonly lastsMs: number;
  /** Of a slow log-in: how late the greeting comes. */
  readonly delayMs: number;
}

const PAUSE_MS = [300, 1_500] as const;
/** On both sides of policy.watch.silence. */
const DELAY_MS = [100, 2_000] as const;

/** The same blip for the same name, whatever was played before. */
export function composeBlip({ seed, round }: BlipName): Blip {
  const chance = new Chance(`blips ${String(seed)}/${String(round)}`);
  const kind = kindOf({ seed, round });
  const { hosts, lasts } = entryOf(kind);
  return {
    ...{ seed, round, kind },
    host: hosts.length === 0 ? null : chance.oneOf(hosts),
    pauseMs: chance.between(...PAUSE_MS),
    lastsMs: chance.between(...lasts),
    delayMs: chance.between(...DELAY_MS),
  };
}

/** Every kind once, in an order of its own, before any comes again. */
function kindOf({ seed, round }: BlipName): BlipKind {
  const chance = new Chance(`blips ${String(seed)} deal ${String(Math.floor((round - 1) / KINDS.length))}`);
  const dealt = KINDS.map((kind) => ({ kind, at: chance.share() })).toSorted((left, right) => left.at - right.at);
  const card = dealt[(round - 1) % KINDS.length];
  if (card === undefined) throw new RangeError(`there is no round ${String(round)}; they are counted from 1`);
  return card.kind;
}

/** As a line of the report: `1/7 watcher-cut db1 for 1200 ms`. */
export function describeBlip({ seed, round, kind, host, lastsMs, delayMs }: Blip): string {
  const where = host === null ? '' : ` ${host}`;
  const late = kind === 'slow-log-in' ? ` by ${String(delayMs)} ms` : '';
  return `${String(seed)}/${String(round)} ${kind}${where}${late} for ${String(lastsMs)} ms`;
}
