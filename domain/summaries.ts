/** What Temporal shows of a run that is started by a client and by a watcher alike, in one line. */
const LONGEST = 120;

export const withReason = (what: string, reason: string | undefined): string =>
  (reason === undefined ? what : `${what}: ${reason}`).slice(0, LONGEST);

export const failoverSummary = (input: {
  readonly cluster: string;
  readonly candidate?: string | undefined;
  readonly reason?: string | undefined;
}): string => {
  const { cluster, candidate, reason } = input;
  return withReason(`fail over ${cluster}${candidate === undefined ? '' : ` to ${candidate}`}`, reason);
};

export const makeRoomSummary = (cluster: string): string => `make room for the ackers of ${cluster} on its primary`;
