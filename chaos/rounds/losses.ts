import type { Loss } from '../../client/index.ts';
import type { WrittenBy } from './binlog.ts';
import type { Ending } from './ending.ts';

/** What the operations said about transactions, and what the ledger and the binary logs show. */
export interface LossEvidence {
  readonly endings: readonly Ending[];
  /** Tokens of writes that were acknowledged and are not on the final primary. */
  readonly lost: readonly string[];
  /** Tokens of all rows on the final primary. */
  readonly present: ReadonlySet<string>;
  /** By the host that lost its place; null when its logs cannot be read, so that only counts can be compared. */
  readonly written: ReadonlyMap<string, WrittenBy | null>;
}

type Transactions = Loss['salvage']['applied'];

/** One operation's word about the transactions of one host. */
interface Statement {
  readonly by: string;
  readonly host: string;
  /** Brought to the new primary. */
  readonly applied: Transactions;
  /** Only on the host, and not on the new primary. */
  readonly missing: Transactions;
  /** It claims to name everything of the host that is missing. */
  readonly isWhole: boolean;
  /** Whether acknowledged writes may be among what is missing; `uncounted`: nobody can say which. */
  readonly admits: 'nothing' | 'missing' | 'uncounted';
}

const NONE: Transactions = { count: 0, gtids: [] };

function statementsOf({ operation, oldPrimary, loss, setAside }: Ending): readonly Statement[] {
  if (setAside !== null)
    return [
      {
        ...{ by: operation, host: setAside.host, applied: NONE, admits: 'nothing' },
        missing: {
          count: setAside.tails.reduce((sum, { count }) => sum + count, 0),
          gtids: setAside.tails.flatMap(({ gtids }) => gtids),
        },
        isWhole: setAside.tails.every(({ complete }) => complete),
      },
    ];
  if (loss === null || oldPrimary === null) return [];
  const { applied, quarantined } = loss.salvage;
  const admits = loss.lossless ? 'nothing' : loss.lost === null ? 'uncounted' : 'missing';
  const missing = admits === 'missing' ? (loss.lost ?? NONE) : quarantined;
  return [{ by: operation, host: oldPrimary, applied, missing, isWhole: admits === 'missing', admits }];
}

/** Hosts of whose transactions something was said: their binary logs are what it is compared with. */
export const hostsSpokenOf = (endings: readonly Ending[]): readonly string[] => [
  ...new Set(endings.flatMap(statementsOf).map(({ host }) => host)),
];

/**
 * Compares what was said with what is there, transaction by transaction: what was applied is there, what is missing is not, whoever names everything
 * names everything, and every acknowledged write that is lost was said to be, or may be, lost.
 * @returns one sentence for everything that was not said as it is
 */
export function judgeLosses(evidence: LossEvidence): readonly string[] {
  const statements = evidence.endings.flatMap(statementsOf);
  return [
    ...statements.flatMap((one) => untrue(one, { ...evidence, statements })),
    ...statements.flatMap((one) => unnamed(one, { ...evidence, statements })),
    ...unstated(evidence, statements),
  ];
}

interface Compared extends LossEvidence {
  readonly statements: readonly Statement[];
}

/** Only the first thousand are named. */
const namesAll = ({ count, gtids }: Transactions): boolean => count === gtids.length;

function untrue({ by, host, applied, missing }: Statement, all: Compared): readonly string[] {
  const said = new Map([
    ...applied.gtids.map((gtid) => [gtid, true] as const),
    ...missing.gtids.map((gtid) => [gtid, false] as const),
  ]);
  const takenBack = new Set(all.statements.flatMap((one) => one.missing.gtids));
  return [...(all.written.get(host) ?? [])].flatMap(([token, gtid]) => {
    const isThere = all.present.has(token);
    if (said.get(gtid) === true && !isThere && !takenBack.has(gtid))
      return [`${by} says that ${gtid} of ${host} was applied, and its write ${token} is not there`];
    if (said.get(gtid) === false && isThere)
      return [`${by} says that ${gtid} of ${host} is missing, and its write ${token} is there`];
    return [];
  });
}

/** What another operation spoke of is not to be named again, and what another could not count may be anything. */
function unnamed({ by, host, isWhole, missing }: Statement, all: Compared): readonly string[] {
  const isBlurred = all.statements.some((one) => one.host !== host && one.admits === 'uncounted');
  if (!isWhole || isBlurred) return [];
  const named = new Set(all.statements.flatMap((one) => one.missing.gtids));
  const absent = [...(all.written.get(host) ?? [])].filter(([token]) => !all.present.has(token));
  if (!namesAll(missing))
    return absent.length <= missing.count
      ? []
      : [
          `${by} counts ${String(missing.count)} missing transactions of ${host}, and there are ${String(absent.length)}`,
        ];
  return absent
    .filter(([, gtid]) => !named.has(gtid))
    .map(([token, gtid]) => `${gtid} of ${host} with the write ${token} is missing, and ${by} does not name it`);
}

function unstated({ lost, written }: LossEvidence, statements: readonly Statement[]): readonly string[] {
  const admitted = (token: string): boolean =>
    statements.some(({ host, admits, missing }) => {
      if (admits === 'nothing') return false;
      const log = written.get(host) ?? null;
      if (log === null) return true;
      const gtid = log.get(token);
      if (gtid === undefined) return false;
      return admits === 'uncounted' || !namesAll(missing) || missing.gtids.includes(gtid);
    });
  const open = lost.filter((token) => !admitted(token));
  const admitting = statements.filter(({ admits }) => admits !== 'nothing');
  const counted = admitting.reduce((sum, { missing }) => sum + missing.count, 0);
  const isCounted = admitting.length > 0 && admitting.every(({ admits }) => admits === 'missing');
  return [
    ...(isCounted && lost.length > counted
      ? [`${String(lost.length)} acknowledged writes are lost, and ${String(counted)} were stated`]
      : []),
    ...(open.length === 0
      ? []
      : [
          `${String(open.length)} acknowledged writes are lost, and no operation said so: ${open.slice(0, 3).join(', ')}`,
        ]),
  ];
}
