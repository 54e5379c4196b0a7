import { HEARTBEAT_ACCOUNT } from '../domain/accounts.ts';
import type { EventLeftOff, EventsReport, KeptEvent } from '../domain/events.ts';
import { chooseEvents, eventName, eventsToNote, notRun } from '../domain/events.ts';
import { field, identifier } from './mariadb.ts';
import type { Row, Session } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import { IN_RESERVE, refuseReserve } from './reserve.ts';

interface StoredEvent extends KeptEvent {
  /** `user@host`, or `role@`. */
  readonly definer: string;
  /** What an ALTER EVENT overwrites with that of its session; null: of a server that did not keep it. */
  readonly characterSet: string | null;
  readonly collation: string | null;
  /** What it overwrites with the default of the database; null: the same already. */
  readonly otherDefault: string | null;
  /** Of what it does. */
  readonly digest: string | null;
}

/** What a server before 10.6 stored has the names of then. */
const named = (collation: string): string => `REGEXP_REPLACE(${collation}, '^utf8_', 'utf8mb3_')`;

const DIGEST = 'SHA2(CONCAT_WS(0x00, e.body, e.sql_mode), 256)';

/** Not from information_schema.EVENTS, which an account without the privilege EVENT sees nothing of. `execute_at` is in UTC. */
const READ = `SELECT e.db AS db, e.name AS name, e.definer AS definer, e.status AS status,
    IFNULL(e.execute_at <= UTC_TIMESTAMP(), 0) AS is_over,
    e.character_set_client AS character_set, e.collation_connection AS collation,
    IF(${named('e.db_collation')} <> ${named('s.DEFAULT_COLLATION_NAME')}, s.DEFAULT_COLLATION_NAME, NULL) AS other_default,
    ${DIGEST} AS digest
  FROM mysql.event e LEFT JOIN information_schema.SCHEMATA s ON s.SCHEMA_NAME = e.db ORDER BY e.db, e.name`;

/** One of them. Names are utf8mb3 on every server, and come as bytes: see {@link note}. */
const READ_AGAIN = `SELECT e.db AS db, e.name AS name, ${DIGEST} AS digest FROM mysql.event e
  WHERE e.db = CONVERT(? USING utf8mb3) AND e.name = CONVERT(? USING utf8mb3)`;

const WRITER = `'${HEARTBEAT_ACCOUNT.name}'@'${HEARTBEAT_ACCOUNT.host}'`;

const LIST_PARTS = `SELECT
    (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'standfast' AND TABLE_NAME = 'enabled_events') +
    (SELECT COUNT(*) FROM mysql.proc WHERE db = 'standfast' AND name = 'note_events' AND type = 'PROCEDURE') AS parts`;

const MAKE_LIST = [
  'CREATE DATABASE IF NOT EXISTS standfast',
  'CREATE TABLE IF NOT EXISTS standfast.enabled_events (id TINYINT PRIMARY KEY, events LONGTEXT CHARACTER SET utf8mb4 NOT NULL) ENGINE=InnoDB',
  // The watcher's account may write on a read-only server; whoever owns the procedure may not. As for heartbeat rows.
  `CREATE DEFINER = ${WRITER} PROCEDURE IF NOT EXISTS standfast.note_events(IN enabled LONGTEXT CHARACTER SET utf8mb4)
     SQL SECURITY DEFINER MODIFIES SQL DATA
     INSERT INTO standfast.enabled_events (id, events) VALUES (1, enabled) ON DUPLICATE KEY UPDATE events = VALUES(events)`,
];

/**
 * Notes in a table that replicas have as well which events are enabled on the primary, when that has changed. A replica does not know: its own events are all
 * switched off. Writes nothing on a server that is read-only, and waits in no place that a full server keeps for its administrators.
 * @throws AdapterFailure where the list was never made
 */
export async function noteEvents(session: Session): Promise<void> {
  refuseReserve(session.host, await session.rows(IN_RESERVE));
  await note(session, await storedEvents(session), await readNoted(session));
}

async function note(session: Session, events: readonly KeptEvent[], noted: string | null): Promise<void> {
  const now = eventsToNote(events, noted);
  // As bytes: a server with NO_BACKSLASH_ESCAPES would read the backslashes before its quotes.
  if (now !== noted) await session.rows('CALL standfast.note_events(CONVERT(? USING utf8mb4))', [Buffer.from(now)]);
}

/**
 * Switches on again what replication had switched off on this server, which has to run it, and nothing that a person had disabled. Definer, sql_mode, character
 * sets and time zone stay as they are. What the server refuses is told, and keeps nothing else off. Nothing is done on a server that is read-only: this account
 * may write there, and whoever opens it runs its events then.
 * @throws AdapterFailure when the session is lost, or not answered
 * Source: MariaDB KB, ALTER EVENT, SLAVESIDE_DISABLED; measured, `test/oracle/events-mariadb.test.ts`
 */
export async function runEvents(session: Session): Promise<EventsReport> {
  if (field(await session.rows('SELECT @@GLOBAL.read_only AS is_closed'), 'is_closed') !== '0')
    return notRun(`none were run, since ${session.host} is read-only`);
  const refused: string[] = [];
  const told = (why: string | null): void => {
    if (why !== null) refused.push(why);
  };
  let noted: string | null = null;
  told(
    await whyRefused(async () => {
      await ensureList(session);
      noted = await readNoted(session);
    }),
  );
  const { toEnable, disabled, unclear } = chooseEvents(await storedEvents(session), noted);
  const enabled: string[] = [];
  const leftOff = unclear.map(({ event, why }) => left(event, why));
  for (const event of toEnable) {
    const why = await whyNotEnabled(session, event);
    if (why === null) enabled.push(eventName(event));
    else leftOff.push(left(event, why));
  }
  told(await whyRefused(() => session.rows('SET GLOBAL event_scheduler = ON')));
  told(await whyRefused(async () => note(session, await storedEvents(session), noted)));
  const fault = refused.length === 0 ? {} : { fault: refused.join('; ') };
  return { enabled, disabled: disabled.map(eventName), leftOff, ...fault };
}

async function ensureList(session: Session): Promise<void> {
  if (field(await session.rows(LIST_PARTS), 'parts') === '2') return;
  for (const statement of MAKE_LIST) await session.rows(statement);
}

const left = (event: StoredEvent, why: string): EventLeftOff => ({
  event: eventName(event),
  why,
  statement: remedy(event),
});

/** For a person's own session, whose character set is given back, and may not have all that is in the names. */
function remedy(event: StoredEvent): string {
  const statement = changing(event, 'ENABLE');
  const isPlain = /^[\x20-\x7e]*$/.test(statement);
  const bytes = `EXECUTE IMMEDIATE CONVERT(0x${Buffer.from(statement).toString('hex')} USING utf8mb4)`;
  const before = sessionOf(event);
  return [...before, isPlain ? statement : bytes, ...(before.length > 0 ? ['SET NAMES utf8mb4'] : [])].join('; ');
}

/** @returns null when it is enabled */
async function whyNotEnabled(session: Session, event: StoredEvent): Promise<string | null> {
  if (event.otherDefault !== null)
    return `it would take ${event.otherDefault} from its database as its collation, which was another one when it was made`;
  const refused = await change(session, event, 'ENABLE');
  if (refused !== null) return refused;
  // Whoever may make events there could have put another one in its place, which would run as its definer now.
  if ((await readAgain(session, event)).some((now) => isSame(now, event) && now.digest === event.digest)) return null;
  const stays = await change(session, event, 'DISABLE');
  return `somebody made it anew meanwhile: look at what it does first${stays === null ? '' : ` (IT IS ENABLED: ${stays})`}`;
}

type Place = Pick<StoredEvent, 'database' | 'name' | 'digest'>;

/** One at most: the server takes names that differ in case alone for one, and so does the comparison. */
async function readAgain(session: Session, { database, name }: Place): Promise<readonly Place[]> {
  return (await session.rows(READ_AGAIN, [Buffer.from(database), Buffer.from(name)])).map(placeOf);
}

const placeOf = (row: Row): Place => ({
  database: text(row, 'db') ?? '',
  name: text(row, 'name') ?? '',
  digest: text(row, 'digest'),
});

const isSame = (one: Place, other: Place): boolean => one.database === other.database && one.name === other.name;

/** @returns why not */
async function change(session: Session, event: StoredEvent, to: 'ENABLE' | 'DISABLE'): Promise<string | null> {
  const [before] = await session.rows(
    'SELECT @@character_set_client AS characters, @@collation_connection AS collation',
  );
  const refused = await whyRefused(async () => {
    for (const statement of sessionOf(event)) await session.rows(statement);
    // The character set of the session is that of the event now, and not of what is sent: the statement comes as bytes.
    await session.rows('EXECUTE IMMEDIATE CONVERT(? USING utf8mb4)', [Buffer.from(changing(event, to))]);
  });
  await session.rows('SET character_set_client = ?, collation_connection = ?', [
    before?.['characters'],
    before?.['collation'],
  ]);
  return refused;
}

/** @returns why the server answered, and did not do it: for lack of the privilege EVENT, for one; null: it did */
async function whyRefused(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.message;
  }
}

const isRefusal = (error: unknown): error is AdapterFailure =>
  error instanceof AdapterFailure &&
  error.facts['errno'] !== undefined &&
  (error.silence === null || error.silence === 'denied');

const sessionOf = ({ characterSet, collation }: StoredEvent): readonly string[] =>
  characterSet === null || collation === null
    ? []
    : [`SET character_set_client = '${characterSet}', collation_connection = '${collation}'`];

/** Without its definer in the statement, the account that carries it out would become that. */
const changing = ({ database, name, definer }: StoredEvent, to: 'ENABLE' | 'DISABLE'): string =>
  `ALTER DEFINER = ${account(definer)} EVENT ${identifier(database)}.${identifier(name)} ${to}`;

function account(definer: string): string {
  const at = definer.lastIndexOf('@');
  const [user, host] = [definer.slice(0, at), definer.slice(at + 1)];
  return host === '' ? identifier(user) : `${identifier(user)}@${identifier(host)}`;
}

async function readNoted(session: Session): Promise<string | null> {
  const rows = await session.rows('SELECT events FROM standfast.enabled_events WHERE id = 1');
  return rows.length === 0 ? null : field(rows, 'events');
}

async function storedEvents(session: Session): Promise<readonly StoredEvent[]> {
  const rows = await session.rows(READ);
  return rows.map((row) => ({
    ...placeOf(row),
    definer: text(row, 'definer') ?? '',
    status: text(row, 'status') ?? '',
    isOver: text(row, 'is_over') === '1',
    characterSet: text(row, 'character_set'),
    collation: text(row, 'collation'),
    otherDefault: text(row, 'other_default'),
  }));
}

const text = (row: Row, key: string): string | null => {
  const value = row[key] as string | number | null | undefined;
  return value === undefined || value === null ? null : String(value);
};
