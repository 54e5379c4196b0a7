/** Remedies that several places give. CLUSTER and HOST stand for their names. */

/** Nobody waits for the acknowledgements of a server that is about to stop. */
export const PROVISION_AGAIN =
  'when it counts, standfast acker remove CLUSTER HOST; stop its server; as root on it, standfast-host discard-data host=HOST; then standfast provision CLUSTER HOST';

/** Of a copy that is no good: the run that made it removes it. */
export const COPY_AGAIN = 'standfast provision CLUSTER HOST, once what was copied is removed';

/** With both threads running a rejoin takes it for one that follows already. */
export const SET_ASIDE =
  'standfast acker remove CLUSTER HOST; on HOST: STOP SLAVE, and start nothing again; then standfast rejoin CLUSTER HOST, which sets aside what only it has, stops it, and says how to go on';

/** Source: measured on 10.11: `SET GLOBAL read_only=1` waits for commits that wait for an acknowledgement, and a stop commits them. */
export const CLOSE_WRITER =
  'SET GLOBAL read_only=1 on HOST, then standfast verify CLUSTER. If it hangs, commits wait for an acknowledgement: kill its server (SIGKILL; a stop would commit them), see that it stays down or comes back closed, then standfast rejoin CLUSTER HOST sets aside what it wrote';

export const remedyFor = (
  remedy: string,
  { cluster, host }: { readonly cluster: string; readonly host: string },
): string => remedy.replaceAll('CLUSTER', cluster).replaceAll('HOST', host);
