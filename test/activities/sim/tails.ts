import type { HelperAnswerFields } from '../../../adapters/ports.ts';
import type { Database } from './database.ts';
import type { Arguments, Member } from './member.ts';
import { HelperRefusal } from './refusal.ts';
import { beyond, positionOf, stateOf } from './positions.ts';

/** Of every server; its place is the number of transactions. */
export const LOG_NAME = 'binlog.000001';

const LOG = './mysqld-relay-bin-standfast.000001';

const contentOf = (gtids: readonly string[]): string => gtids.join(',');
const gtidsIn = (content: string): readonly string[] => content.split(',').filter((gtid) => gtid !== '');

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

const ENCRYPTED = 'mariadb-bin.000001 is encrypted (encrypt_binlog)';

const areEncrypted = (database: Database | null): boolean =>
  database?.encryptsLogs === true || database?.hasEncryptedLogs === true;

/** What `keep-relay` and `tail-list` say: whether any event of the source is in the relay logs. */
export const saidOfSource = (database: Database | null): HelperAnswerFields =>
  areEncrypted(database)
    ? { source: 'unknown', why: ENCRYPTED }
    : { source: yesNo(database?.channel?.holdsSource === true) };

/** What `binlog-end` says of a dead server. */
export function endOfBinlog({ database }: Member): HelperAnswerFields {
  if (areEncrypted(database)) throw new HelperRefusal('Unverified', `it cannot be read: ${ENCRYPTED}`);
  return { gtid: positionOf(database?.binlog ?? []) };
}

interface Found {
  readonly tail: readonly string[];
  readonly answer: HelperAnswerFields;
}

function find({ name, database }: Member, { logs = '', beyond: known = '' }: Arguments): Found {
  if (database === null) throw new HelperRefusal('Unverified', `${name} has no logs`);
  if (logs === 'binlog' && database.process !== 'stopped')
    throw new HelperRefusal('Unsafe', `mysqld runs on ${name}; its binlog is only read when it is dead`);
  const source = logs === 'relay' ? saidOfSource(database) : {};
  if (areEncrypted(database))
    return { tail: [], answer: { ...describe([]), held: '', ...source, complete: 'no', why: ENCRYPTED } };
  const held = logs === 'binlog' ? database.binlog : (database.channel?.relay ?? []);
  const isComplete = logs === 'binlog' || source['source'] === 'yes';
  const tail = beyond(held, known);
  return {
    tail,
    answer: {
      ...describe(tail),
      held: stateOf(held),
      complete: yesNo(isComplete),
      why: isComplete ? '' : 'no event of another server is in the relay logs',
      ...source,
    },
  };
}

const describe = (tail: readonly string[]): HelperAnswerFields => ({
  count: String(tail.length),
  gtids: contentOf(tail),
  up_to: stateOf(tail),
});

export const listTail = (member: Member, args: Arguments): HelperAnswerFields => find(member, args).answer;

export function exportTail(member: Member, args: Arguments): HelperAnswerFields {
  const { tail, answer } = find(member, args);
  if (tail.length === 0) return { ...answer, tail: '', bytes: '0', sha256: '' };
  const name = `${String(member.epoch.number)}-${args['logs'] ?? ''}`;
  const content = contentOf(tail);
  member.tails.set(name, content);
  return { ...answer, tail: name, bytes: String(content.length), sha256: content };
}

/** The whole tail is one piece. */
export function readTail({ name, tails }: Member, { tail = '' }: Arguments): HelperAnswerFields {
  const content = tails.get(tail);
  if (content === undefined) throw new HelperRefusal('Unverified', `${name} has no tail ${tail}`);
  return { piece: content, bytes: String(content.length) };
}

export function writeTail({ tails }: Member, { tail = '', piece = '' }: Arguments): HelperAnswerFields {
  tails.set(tail, piece);
  return { bytes: String(piece.length) };
}

export function stageTail({ name, database, tails }: Member, args: Arguments): HelperAnswerFields {
  const content = tails.get(args['tail'] ?? '');
  if (database === null || content === undefined || content !== args['sha256'])
    throw new HelperRefusal('Unverified', `${name} has no such tail`);
  if (database.tail !== null) throw new HelperRefusal('Unsafe', `the channel of a tail is still there on ${name}`);
  const lacking = beyond(gtidsIn(content), args['beyond'] ?? '');
  database.staged = { log: LOG, gtids: lacking };
  return { ...describe(lacking), log: lacking.length === 0 ? '' : LOG };
}
