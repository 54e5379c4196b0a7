import type { HostName } from './cluster.ts';
import type { Parsed } from './inputs.ts';

/** What a failover cannot prove. Without a person's acceptance of all of it nothing goes on. */
export interface Risk {
  /** Why it is not proven that the old primary can no longer acknowledge a write; null when it is proven. */
  readonly fence: string | null;
  readonly loss: PossibleLoss | null;
}

/** Acknowledged writes that would be missing on the new primary. */
export interface PossibleLoss {
  /** Transactions; null when nobody can say how many. */
  readonly count: number | null;
  readonly explains: string;
}

/** A named person takes the responsibility for a risk. Kept in the history and in the result. */
export interface Acceptance {
  readonly by: string;
  readonly reason: string;
  /** The old primary is out of action, although nothing proves it: the person has seen to it. */
  readonly fence: boolean;
  /** Most transactions that may be lost; `unknown` accepts a loss that nobody can count. */
  readonly loss: number | 'unknown';
  /** The old primary that it was asked about; it counts for no other. Absent in those of earlier versions, which are asked for anew. */
  readonly primary?: HostName | null;
}

/** Null: nobody answers for that primary. */
export const wordAbout = (primary: HostName, accepted: Acceptance | null): Acceptance | null =>
  accepted?.primary === primary ? accepted : null;

export const NO_RISK: Risk = { fence: null, loss: null };

/**
 * What of a risk an acceptance leaves open, in words; empty when it covers all of it.
 * @param mayLose most transactions that may be lost without a person's word
 */
export function leftOpen(risk: Risk, accepted: Acceptance | null, mayLose = 0): readonly string[] {
  const open: string[] = [];
  if (risk.fence !== null && accepted?.fence !== true) open.push(risk.fence);
  if (risk.loss !== null && !isCovered(risk.loss, accepted, mayLose)) open.push(risk.loss.explains);
  return open;
}

function isCovered({ count }: PossibleLoss, accepted: Acceptance | null, mayLose: number): boolean {
  if (accepted?.loss === 'unknown') return true;
  if (count === null) return false;
  return (accepted !== null && count <= accepted.loss) || (mayLose > 0 && count <= mayLose);
}

/** The JSON that accepts exactly this risk, for the person who is asked. */
export const acceptanceOf = ({ fence, loss }: Risk): Readonly<Record<string, unknown>> => ({
  by: 'YOUR NAME',
  reason: 'WHY',
  ...(fence === null ? {} : { fence: true }),
  ...(loss === null ? {} : { loss: loss.count ?? 'unknown' }),
});

const KNOWN = ['by', 'reason', 'fence', 'loss'];
const LONGEST = 500;

/** Reads an answer to the question that is open now; synchronous, so that a wrong one is refused before it is part of the history. */
export function parseAcceptance(input: unknown, risk: Risk | null): Parsed<Acceptance> {
  if (risk === null) return bad('this run asks nothing of a person now', null);
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return bad('it is not one JSON object', risk);
  const given = input as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(given).find((name) => !KNOWN.includes(name));
  if (stranger !== undefined) return bad(`it does not know "${stranger.slice(0, 80)}"`, risk);
  const { by, reason, fence = false, loss = 0 } = given;
  if (!isSentence(by)) return bad('"by" must name the person who accepts', risk);
  if (!isSentence(reason)) return bad('"reason" must say why', risk);
  if (typeof fence !== 'boolean') return bad('"fence" is true or false', risk);
  if (loss !== 'unknown' && !isCount(loss)) return bad('"loss" is a number of transactions, or "unknown"', risk);
  const value: Acceptance = { by: by.trim(), reason: reason.trim(), fence, loss };
  const open = leftOpen(risk, value);
  return open.length === 0 ? { kind: 'ok', value } : bad(`it leaves open that ${open.join('; and that ')}`, risk);
}

const isSentence = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST;

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const bad = (what: string, risk: Risk | null): Parsed<Acceptance> => ({
  kind: 'bad',
  message: `the acceptance was not taken: ${what}${risk === null ? '' : `. What would be: ${JSON.stringify(acceptanceOf(risk))}`}`,
});
