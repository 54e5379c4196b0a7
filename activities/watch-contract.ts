/** What a watcher does; it never ends by itself, so it is no step of a runbook. */
export interface WatchActivities {
  /**
   * Holds open connections to every host of the clusters of `shard`, by the inventory as it is from second to second; diagnoses at every look, starts `failover` when the
   * primary is dead and the policy allows it, `preparePrimary` when it came back closed, and tells the run that watches what has become different.
   * Runs until it is cancelled.
   */
  watchShard(input: { readonly shard: string }): Promise<void>;
}
