/** The greeting of a server as a client got it. */
export interface Greeting {
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly at: number;
  /** Whether it carries the mark by which one of two servers is told from the other. */
  readonly marked: boolean;
}

/** Makes a server's greeting carry the mark: its status says so, before anybody logs in. */
export const MARK = "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',NO_BACKSLASH_ESCAPES')";
const NO_BACKSLASH_ESCAPES = 0x0200;
const PROTOCOL_10 = 10;

/**
 * Whether a first packet has the mark; null: it is no greeting, or not a whole one.
 * Source: MariaDB KB, "Connection": header 4, protocol 1, version and NUL, thread 4, scramble 8, filler 1, capabilities 2, collation 1, status 2.
 */
export function isMarked(packet: Uint8Array): boolean | null {
  const endOfVersion = packet.indexOf(0, 5);
  const status = endOfVersion + 17;
  const [low, high] = [packet[status], packet[status + 1]];
  if (packet[4] !== PROTOCOL_10 || endOfVersion < 0 || low === undefined || high === undefined) return null;
  return ((low | (high << 8)) & NO_BACKSLASH_ESCAPES) !== 0;
}

/** The first greeting of the marked server, or of the other. */
export function firstOf(greetings: readonly Greeting[], marked: boolean): Greeting {
  const first = greetings.find((one) => one.marked === marked);
  if (first === undefined) throw new Error(`the server that is ${marked ? '' : 'not '}marked never greeted`);
  return first;
}

/** Milliseconds from the last greeting of the one to the first of the other, the `marked` one. Below zero: both answered at once. */
export function gapBefore(greetings: readonly Greeting[], marked: boolean): number {
  const last = firstOf(greetings.toReversed(), !marked);
  return (firstOf(greetings, marked).at - last.at) / 1_000;
}

/** Milliseconds of the longest time between two greetings that follow each other. */
export function longestPause(greetings: readonly Greeting[]): number {
  const pauses = greetings.slice(1).map((one, index) => one.at - (greetings[index]?.at ?? one.at));
  if (pauses.length === 0) throw new Error('one greeting makes no pause');
  return Math.max(...pauses) / 1_000;
}
