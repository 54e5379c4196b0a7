export interface OfCluster {
  readonly cluster: string;
}

/** `run` is the run ID of the operation: every attempt of a changing step claims an epoch of its own for it. */
export interface OfOperation extends OfCluster {
  readonly run: string;
}

export interface Undone {
  readonly undone: readonly string[];
  readonly notUndone: readonly string[];
}
