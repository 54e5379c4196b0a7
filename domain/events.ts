/** An event of a database, as the server with it says. */
export interface KeptEvent {
  readonly database: string;
  readonly name: string;
  /**
   * SLAVESIDE_DISABLED is what replication makes of every event, whether it was enabled on the primary or a person had disabled it there (measured,
   * `test/oracle/events-mariadb.test.ts`).
   */
  readonly status: string;
  /** It was to be carried out once, at an instant that has passed. */
  readonly isOver: boolean;
}

/** What became of the events on a server that has to run them. */
export interface EventsReport {
  /** Switched on again by this run, as `database.name`. */
  readonly enabled: readonly string[];
  /** Off, and nobody had them on before, so they stay as they are. */
  readonly disabled: readonly string[];
  /** Off, though they may have to run: a person decides. */
  readonly leftOff: readonly EventLeftOff[];
  /** What kept them, or the note of them, from it; `standfast prepare` does it again. Left out: nothing. */
  readonly fault?: string;
}

/** Of a server on which nothing was done about them. */
export const notRun = (fault: string): EventsReport => ({ enabled: [], disabled: [], leftOff: [], fault });

export interface EventLeftOff {
  readonly event: string;
  readonly why: string;
  /** What a person runs on the primary to switch it on. */
  readonly statement: string;
}

export interface ChosenEvents<T> {
  readonly toEnable: readonly T[];
  readonly disabled: readonly T[];
  readonly unclear: readonly { readonly event: T; readonly why: string }[];
}

type Named = Pick<KeptEvent, 'database' | 'name'>;

export const eventName = ({ database, name }: Named): string => `${database}.${name}`;

const keyOf = ({ database, name }: Named): string => JSON.stringify([database, name]);

const isSwitchedOff = ({ status }: KeptEvent): boolean => status === 'SLAVESIDE_DISABLED';

/** Of the primary before; an event in neither was never seen there. */
interface Noted {
  readonly enabled: ReadonlySet<string>;
  readonly disabled: ReadonlySet<string>;
}

const NOTHING: Noted = { enabled: new Set(), disabled: new Set() };

/** There is no note, or somebody wrote something else there: whatever is off is left to a person then. */
function parseNoted(noted: string | null): Noted {
  const keys = (list: readonly unknown[]) => new Set(list.map((one) => JSON.stringify(one)));
  try {
    const { enabled, disabled } = JSON.parse(noted ?? '') as Readonly<Record<keyof Noted, readonly unknown[]>>;
    return { enabled: keys(enabled), disabled: keys(disabled) };
  } catch {
    return NOTHING;
  }
}

type Was = 'enabled' | 'disabled' | 'unclear';

/** How an event that replication has switched off stood on the primary before. */
function before(noted: string | null): (event: KeptEvent) => Was {
  const { enabled, disabled } = parseNoted(noted);
  return (event) => (enabled.has(keyOf(event)) ? 'enabled' : disabled.has(keyOf(event)) ? 'disabled' : 'unclear');
}

/**
 * What is to be noted while a server is primary: how each of its events stands, and of one that replication alone keeps off, how it stood before. Names are in
 * order, so that the same is the same text.
 * @param noted the note so far; null: there is none
 */
export function eventsToNote(events: readonly KeptEvent[], noted: string | null): string {
  const was = before(noted);
  const now = (event: KeptEvent): Was =>
    event.status === 'ENABLED' ? 'enabled' : isSwitchedOff(event) ? was(event) : 'disabled';
  const named = (state: Was): string =>
    events
      .filter((event) => now(event) === state)
      .map(keyOf)
      .sort()
      .join(',');
  return `{"enabled":[${named('enabled')}],"disabled":[${named('disabled')}]}`;
}

const NOT_NOTED =
  'nobody had noted whether it was enabled on the primary before; if it is to stay off, disable it there, and this is not said again';
const OVER =
  'it was to be carried out once, at an instant that has passed, perhaps on the primary before; switched on, it is carried out at once';

/** Of the events of a server that has to run them: which it may run again. */
export function chooseEvents<T extends KeptEvent>(events: readonly T[], noted: string | null): ChosenEvents<T> {
  const was = before(noted);
  const off = events.filter(isSwitchedOff);
  const enabled = off.filter((event) => was(event) === 'enabled');
  return {
    toEnable: enabled.filter(({ isOver }) => !isOver),
    disabled: off.filter((event) => was(event) === 'disabled'),
    unclear: [
      ...off.filter((event) => was(event) === 'unclear').map((event) => ({ event, why: NOT_NOTED })),
      ...enabled.filter(({ isOver }) => isOver).map((event) => ({ event, why: OVER })),
    ],
  };
}

const SHOWN = 5;

/** As the end of a sentence; empty when nothing is left to a person. */
export function leftOffSentence(report: EventsReport | null): string {
  const { leftOff = [], fault } = report ?? {};
  const notDone = fault === undefined ? '' : `. WARNING: events: ${fault}; standfast prepare does it again`;
  if (leftOff.length === 0) return notDone;
  const shown = leftOff
    .slice(0, SHOWN)
    .map(({ event, why, statement }) => `${event} (${why}; on the primary: ${statement})`);
  const rest = leftOff.length > SHOWN ? `; and ${String(leftOff.length - SHOWN)} more` : '';
  return `${notDone}. WARNING: events are left off: ${shown.join('; ')}${rest}`;
}
