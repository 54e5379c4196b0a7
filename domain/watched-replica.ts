import type { ReplicationStatus } from './observation.ts';

/** What a watcher says of a replica, by what its server answered last. */
export interface ReplicaState {
  readonly code: string;
  readonly explains: string;
}

interface Rule {
  readonly code: string;
  readonly matches: (replication: ReplicationStatus) => boolean;
  readonly explains: (replication: ReplicationStatus) => string;
}

const because = (error: { readonly code: number; readonly message: string } | null): string =>
  error === null ? 'nobody started it, or somebody stopped it' : `error ${String(error.code)}: ${error.message}`;

/** First match wins: what is applied no more before what is received no more. */
const RULES: readonly Rule[] = [
  {
    code: 'ApplierStopped',
    matches: ({ applier }) => applier !== 'running',
    explains: ({ applierError }) => `its SQL thread stands still (${because(applierError)}), so it falls behind`,
  },
  {
    code: 'ReceiverStopped',
    matches: ({ receiver }) => receiver === 'stopped',
    explains: ({ receiverError }) => `its IO thread stands still (${because(receiverError)}), so it receives nothing`,
  },
  {
    code: 'ReceiverConnecting',
    matches: ({ receiver }) => receiver === 'connecting',
    explains: ({ receiverError }) => `its IO thread does not reach its source (${because(receiverError)})`,
  },
];

const REPLICATES: ReplicaState = { code: 'Replicates', explains: 'both its threads run' };

export function judgeThreads(replication: ReplicationStatus | null): ReplicaState {
  if (replication === null) return { code: 'ReplicatesFromNobody', explains: 'it has no source' };
  const rule = RULES.find((candidate) => candidate.matches(replication));
  return rule === undefined ? REPLICATES : { code: rule.code, explains: rule.explains(replication) };
}
