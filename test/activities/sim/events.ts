import type { Row } from '../../../adapters/ports.ts';
import type { Database } from './database.ts';
import { SqlError } from './database.ts';

interface Call {
  readonly database: Database;
  readonly values: readonly unknown[];
}

/** All of them belong to the database shop, and to app@'%'. */
const stored = ({ database }: Call): readonly Row[] =>
  database.events.map(({ name, status, isOver = false }) => ({
    ...{ db: 'shop', name, status, definer: 'app@%', is_over: isOver ? 1 : 0 },
    ...{ character_set: 'utf8mb4', collation: 'utf8mb4_general_ci', other_default: null },
  }));

function enable({ database, values }: Call): undefined {
  const statement = String(values[0]);
  const [, name = ''] = /^ALTER DEFINER = `app`@`%` EVENT `shop`.`([^`]+)` ENABLE$/.exec(statement) ?? [];
  if (!database.maySwitchEvents) throw new SqlError("1044: Access denied for user 'standfast' to database 'shop'");
  const event = database.events.find((one) => one.name === name);
  if (event === undefined) throw new SqlError(`1539: Unknown event: ${statement}`);
  event.status = 'ENABLED';
}

function note({ database, values }: Call): undefined {
  if (database.readOnly) throw new SqlError('1290: The server is running with the --read-only option');
  database.notedEvents = String(values[0]);
}

/** What is said to a server about its events. */
export const EVENT_STATEMENTS = [
  {
    form: /^SELECT CAST\(VARIABLE_VALUE AS UNSIGNED\) > @@global.max_connections AS reserved /,
    run: ({ database }: Call) => [{ reserved: Number(database.isInReserve) }],
  },
  { form: /^SELECT e.db AS db, .* FROM mysql.event e /, run: stored },
  {
    form: /^SELECT @@character_set_client AS/,
    run: () => [{ characters: 'utf8mb4', collation: 'utf8mb4_unicode_ci' }],
  },
  { form: /^SET character_set_client = .*, collation_connection = /, run: () => undefined },
  { form: /^EXECUTE IMMEDIATE CONVERT\(\? USING utf8mb4\)$/, run: enable },
  {
    form: /^SELECT events FROM standfast.enabled_events WHERE id = 1$/,
    run: ({ database: { notedEvents } }: Call) => (notedEvents === null ? [] : [{ events: notedEvents }]),
  },
  { form: /^CALL standfast.note_events\(CONVERT\(\? USING utf8mb4\)\)$/, run: note },
  { form: /^CREATE DEFINER = .* PROCEDURE IF NOT EXISTS standfast.note_events/, run: () => undefined },
] as const;
