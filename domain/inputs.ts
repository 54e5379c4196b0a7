/** Checks of what a person typed into the Temporal UI, or a program sent: one sentence with the remedy, never a TypeError. */
export type Parsed<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'bad'; readonly message: string };

export interface PreparePrimaryInput {
  readonly cluster: string;
  /** The host that is, or was recorded as, the primary. */
  readonly host: string;
}
export interface ProvisionReplicaInput {
  readonly cluster: string;
  readonly host: string;
  /** Donor; the primary when absent. */
  readonly from?: string;
}
export interface AdmitReplicaInput {
  readonly cluster: string;
  readonly host: string;
}
export interface RemoveAckerInput {
  readonly cluster: string;
  readonly host: string;
  readonly reason?: string;
}
export interface GoAsyncInput {
  readonly cluster: string;
  readonly reason?: string;
}
export interface MakeRoomInput {
  readonly cluster: string;
}
export interface FenceDeposedInput {
  readonly cluster: string;
  readonly host: string;
  /** Of the failover that deposes it: while an older record has it as the primary, its successor is only not recorded yet. Absent: it is. */
  readonly epoch?: number;
}
export interface RejoinReplicaInput {
  readonly cluster: string;
  /** A host that was primary or replica before. */
  readonly host: string;
}
export interface VerifyReplicationInput {
  readonly cluster: string;
}
export interface AuditClusterInput {
  readonly cluster: string;
}
export interface SyncFilesInput {
  readonly cluster: string;
  /** One of the cluster's `files`; every one when absent. */
  readonly fileset?: string;
}
export interface FailoverInput {
  readonly cluster: string;
  /** The replica to promote; the best one when absent. */
  readonly candidate?: string;
  readonly reason?: string;
  /** How long the run waits, such as `15m`, for a person's acceptance of what cannot be proven. Absent: it refuses at once. */
  readonly askWithin?: string;
}

/** What the workflow `failover` takes. */
export interface FailoverOrder extends FailoverInput {
  /** Tells what would be done if the primary were dead, and changes nothing. */
  readonly dryRun?: boolean;
}

export interface WatchClustersInput {
  /** Clusters of one shard are watched together. */
  readonly shard: string;
}

interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly example: string;
  /** Absent: a name. */
  readonly kind?: 'text' | 'duration' | 'flag' | 'number';
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
export const isName = (text: string): boolean => NAME.test(text);
const DURATION = /^([1-9]\d{0,3})(s|m|h)$/;

const CLUSTER: Field = { name: 'cluster', required: true, example: 'shop' };
const HOST: Field = { name: 'host', required: true, example: 'db2' };

function parser<T>(runbook: string, fields: readonly Field[]): (input: unknown) => Parsed<T> {
  const example = JSON.stringify(
    Object.fromEntries(fields.filter((field) => field.required).map((field) => [field.name, field.example])),
  );
  const bad = (what: string): Parsed<T> => ({
    kind: 'bad',
    message: `${runbook} ${what}; nothing was changed. Its input is one JSON object such as ${example}`,
  });
  return (input) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input))
      return bad(`was given ${describe(input)} instead of an object`);
    const given = input as Readonly<Record<string, unknown>>;
    const known = fields.map((field) => field.name);
    const stranger = Object.keys(given).find((name) => !known.includes(name));
    if (stranger !== undefined) return bad(`does not know "${stranger.slice(0, 80)}" (it takes ${known.join(', ')})`);
    for (const field of fields) {
      const fault = faultOf(field, given[field.name]);
      if (fault !== null) return bad(fault);
    }
    const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
    return { kind: 'ok', value: Object.fromEntries(present) as T };
  };
}

function faultOf(field: Field, value: unknown): string | null {
  if (value === undefined || value === null) return field.required ? `needs "${field.name}"` : null;
  if (field.kind === 'flag')
    return typeof value === 'boolean' ? null : `takes true or false as "${field.name}", not ${describe(value)}`;
  if (field.kind === 'number')
    return Number.isSafeInteger(value) ? null : `takes a whole number as "${field.name}", not ${describe(value)}`;
  if (typeof value !== 'string') return `needs "${field.name}" as a text, not ${describe(value)}`;
  if (field.kind === 'text') return value.length > 500 ? `takes at most 500 characters of "${field.name}"` : null;
  if (field.kind === 'duration')
    return DURATION.test(value) ? null : `takes "${field.name}" as a duration such as ${field.example}`;
  return isName(value)
    ? null
    : `was given ${JSON.stringify(value.slice(0, 80))} as "${field.name}", which is not a name (small letters, digits, dashes)`;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

export const parsePreparePrimary = parser<PreparePrimaryInput>('preparePrimary', [
  CLUSTER,
  { ...HOST, example: 'db1' },
]);
export const parseProvisionReplica = parser<ProvisionReplicaInput>('provisionReplica', [
  CLUSTER,
  HOST,
  { name: 'from', required: false, example: 'db1' },
]);
export const parseAdmitReplica = parser<AdmitReplicaInput>('admitReplica', [CLUSTER, HOST]);
const REASON: Field = { name: 'reason', required: false, example: 'its disk is being replaced', kind: 'text' };
export const parseRemoveAcker = parser<RemoveAckerInput>('removeAcker', [CLUSTER, { ...HOST, example: 'db3' }, REASON]);
export const parseGoAsync = parser<GoAsyncInput>('goAsync', [CLUSTER, REASON]);
export const parseMakeRoom = parser<MakeRoomInput>('makeRoom', [CLUSTER]);
export const parseFenceDeposed = parser<FenceDeposedInput>('fenceDeposed', [
  CLUSTER,
  { ...HOST, example: 'db1' },
  { name: 'epoch', required: false, example: '12', kind: 'number' },
]);
export const parseRejoinReplica = parser<RejoinReplicaInput>('rejoinReplica', [CLUSTER, { ...HOST, example: 'db1' }]);
export const parseRepointReplica = parser<RejoinReplicaInput>('repointReplica', [CLUSTER, { ...HOST, example: 'db1' }]);
export const parseVerifyReplication = parser<VerifyReplicationInput>('verifyReplication', [CLUSTER]);
export const parseAuditCluster = parser<AuditClusterInput>('auditCluster', [CLUSTER]);
const FILESET: Field = { name: 'fileset', required: false, example: 'uploads' };
export const parseSyncFiles = parser<SyncFilesInput>('syncFiles', [CLUSTER, FILESET]);
export const parseDiffFiles = parser<SyncFilesInput>('diffFiles', [CLUSTER, FILESET]);
export const parseWatchClusters = parser<WatchClustersInput>('watchClusters', [
  { name: 'shard', required: true, example: 'main' },
]);
export const parseFailover = parser<FailoverOrder>('failover', [
  CLUSTER,
  { name: 'candidate', required: false, example: 'db2' },
  { ...REASON, example: 'disk failure' },
  { name: 'askWithin', required: false, example: '15m', kind: 'duration' },
  { name: 'dryRun', required: false, example: 'true', kind: 'flag' },
]);
