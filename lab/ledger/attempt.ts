/** `unknown`: the connection broke or the time was up after the write was sent; it may or may not be on the server. */
export type Outcome = 'ack' | 'refused' | 'unknown';

/** One line of a writer's ledger: one attempt to write one row. */
export interface Attempt {
  /** Unique over all writers and attempts; the key of the row. A decimal string: it exceeds a double. */
  readonly token: string;
  readonly route: string;
  /** Microseconds of CLOCK_MONOTONIC, which all processes of the machine share. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** server_id of the server that acknowledged. */
  readonly serverId?: number;
  /** Driver's code of a refusal or an unknown. */
  readonly code?: string;
}

export interface Route {
  /** `vip`, or a host's name, with `/socket` for its local socket. */
  readonly route: string;
  readonly host?: string;
  readonly socketPath?: string;
  /** Different for every writer that ever ran in this lab; the high part of its tokens. */
  readonly writer: number;
}

export interface WriterInput {
  readonly routes: readonly Route[];
  readonly user: string;
  readonly password: string;
  readonly periodMs: number;
}

/** A killed writer may leave half a line at the end: it was cut in the middle of one write. */
export function readAttempts(text: string): readonly Attempt[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Attempt);
}
