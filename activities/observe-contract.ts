import type { HostName } from '../domain/cluster.ts';
import type { Silence } from '../domain/observation.ts';

/** What the worker of another site does: it only looks, and is asked by whoever finds a primary silent. */
export interface ObserverActivities {
  /**
   * Logs in to the server of `host` with the operation account, as a watcher does.
   * @param input.host  name from the inventory of this worker
   * @returns how the server answers from here, within `policy.watch.silence`
   * @throws `BadInput` when the inventory of this worker lacks the cluster or the host, or what it leads to cannot be read
   * Changes nothing.
   */
  observePrimary(input: { readonly cluster: string; readonly host: HostName }): Promise<PrimaryReach>;
}

export interface PrimaryReach {
  readonly reach: 'answers' | Silence;
  /** Of a server that does not answer. */
  readonly why?: string;
}
