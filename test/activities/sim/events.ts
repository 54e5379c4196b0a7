import type { Row } from '../../../adapters/ports.ts';
import type { Database } from './database.ts';
import { SqlError } from './database.ts';

interface Call {
  readonly database: Database;
  readonly values: readonly unknown[];
}

/** All of them belong to the database shop, and to app@'%'. */
const stored = ({ database }: Call): readonly Row[] =>
  database.events.map(({ name, status, isOver = false, body = '' }) => ({
    ...{ db: 'shop', name, status, definer: 'app@%', is_over: isOver ? 1 : 0, digest: body },
    ...{ character_set: 'utf8mb4', collation: 'utf8mb4_general_ci', other_default: null },
  }));

function change({ database, values }: Call): undefined {
  const statement = String(values[0]);
  const [, name = '', to] = /^ALTER DEFINER = `app`@`%` EVENT `shop`.`([^`]+)` ((?:EN|DIS)ABLE)$/.exec(statement) ?? [];
  if (!database.maySwitchEvents) throw new SqlError("1044: Access denied for user 'standfast' to database 'shop'");
  const event = database.events.find((one) => one.name === name);
  if (event === undefined) throw new SqlError(`1539: Unknown event: ${statement}`);
  event.status = to === 'ENABLE' ? 'ENABLED' : 'DISABLED';
}

function note({ database, values }: Call): undefined {
  if (database.readOnly) throw new SqlError('1290: The server is running with the --read-only option');
  if (database.noteFault !== null) throw new SqlError(database.noteFault);
  database.notedEvents = String(values[0]);
}

/** What is said to a server about its events. */
export const EVENT_STATEMENTS = [
  {
    form: /^SELECT CAST\(VARIABLE_VALUE AS UNSIGNED\) > @@global.max_connections AS reserved /,
    run: ({ database }: Call) => [{ reserved: Number(database.isInReserve) }],
  },
  {
    form: /^SELECT e.db AS db, .* FROM mysql.event e WHERE e.db = .* AND e.name = /,
    run: (call: Call) => stored(call).filter(({ db, name }) => String(call.values) === `${String(db)},${String(name)}`),
  },
  { form: /^SELECT e.db AS db, .* FROM mysql.event e /, run: stored },
  {
    form: /^SELECT @@character_set_client AS/,
    run: () => [{ characters: 'utf8mb4', collation: 'utf8mb4_unicode_ci' }],
  },
  { form: /^SET character_set_client = .*, collation_connection = /, run: () => undefined },
  { form: /^EXECUTE IMMEDIATE CONVERT\(\? USING utf8mb4\)$/, run: change },
  {
    form: /^SELECT @@GLOBAL.read_only AS is_closed$/,
    run: ({ database }: Call) => [{ is_closed: Number(database.readOnly) }],
  },
  {
    form: /^SELECT \(SELECT COUNT\(\*\) FROM information_schema.TABLES .* AS parts$/,
    run: ({ database }: Call) => [{ parts: database.keepsEventList ? 2 : 1 }],
  },
  {
    form: /^SELECT events FROM standfast.enabled_events WHERE id = 1$/,
    run: ({ database: { notedEvents } }: Call) => (notedEvents === null ? [] : [{ events: notedEvents }]),
  },
  { form: /^CALL standfast.note_events\(CONVERT\(\? USING utf8mb4\)\)$/, run: note },
  {
    form: /^CREATE DEFINER = .* PROCEDURE IF NOT EXISTS standfast.note_events/,
    run: ({ database }: Call) => {
      database.keepsEventList = true;
      return undefined;
    },
  },
] as const;
