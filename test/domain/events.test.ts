import { describe, expect, it } from 'vitest';
import type { EventsReport, KeptEvent } from '../../domain/events.ts';
import { chooseEvents, eventsToNote, leftOffSentence, notRun } from '../../domain/events.ts';

const event = (name: string, status: string, isOver = false): KeptEvent => ({ database: 'shop', name, status, isOver });
const noteOf = (...events: readonly KeptEvent[]): string => eventsToNote(events, null);

/** By name. */
function chosen(events: readonly KeptEvent[], noted: string | null) {
  const { toEnable, disabled, unclear } = chooseEvents(events, noted);
  const names = (list: readonly KeptEvent[]) => list.map(({ name }) => name);
  return [names(toEnable), names(disabled), names(unclear.map((one) => one.event))];
}

/** What replication makes of all of them. */
const replicated = (...names: readonly string[]) => names.map((name) => event(name, 'SLAVESIDE_DISABLED'));

describe('the events of a server that has to run them', () => {
  const noted = noteOf(event('hourly', 'ENABLED'), event('purge', 'DISABLED'));

  it('are switched on when they were enabled before, and stay off when a person had disabled them', () => {
    expect(chosen(replicated('hourly', 'purge'), noted)).toEqual([['hourly'], ['purge'], []]);
  });

  it('are left alone when they are not switched off by replication', () => {
    expect(chosen([event('hourly', 'DISABLED'), event('other', 'ENABLED')], noted)).toEqual([[], [], []]);
  });

  it('are left to a person when nobody had seen them on the primary', () => {
    expect(chosen(replicated('hourly', 'purge', 'newest'), noted)).toEqual([['hourly'], ['purge'], ['newest']]);
  });

  it.each([null, '', '[]', 'null', '{"enabled":1}', '{"enabled":[["shop","hourly"]]}', "{\\'"])(
    'are left to a person when what is noted is %j',
    (noNote) => {
      expect(chosen([...replicated('hourly'), event('purge', 'DISABLED')], noNote)).toEqual([[], [], ['hourly']]);
    },
  );

  it('are left to a person when they would be carried out a second time', () => {
    const once = noteOf(event('once', 'ENABLED'));
    expect(chosen([event('once', 'SLAVESIDE_DISABLED', true)], once)).toEqual([[], [], ['once']]);
    expect(chosen([event('once', 'SLAVESIDE_DISABLED', false)], once)).toEqual([['once'], [], []]);
  });
});

describe('the note of the enabled events', () => {
  it('is the same text for the same events, whatever their order', () => {
    const [a, b] = [event('a', 'ENABLED'), event('b', 'ENABLED')];
    expect(noteOf(a, b)).toBe(noteOf(b, a));
  });

  it('keeps what replication alone has switched off, so that a look between a promotion and its end forgets nothing', () => {
    const noted = noteOf(event('hourly', 'ENABLED'));
    const both = noteOf(event('hourly', 'ENABLED'), event('purge', 'DISABLED'));
    expect(eventsToNote(replicated('hourly', 'other'), noted)).toBe(noted);
    expect(eventsToNote(replicated('hourly', 'purge', 'other'), both)).toBe(both);
  });

  it('has what a person disables as disabled, and forgets what is dropped', () => {
    const noted = noteOf(event('hourly', 'ENABLED'), event('daily', 'ENABLED'));
    expect(eventsToNote([event('hourly', 'DISABLED')], noted)).toBe('{"enabled":[],"disabled":[["shop","hourly"]]}');
  });

  it('keeps what was never clear until a person enables or disables it', () => {
    const first = noteOf(...replicated('hourly', 'purge'));
    expect(eventsToNote(replicated('hourly', 'purge'), first)).toBe(first);
    expect(chosen(replicated('hourly', 'purge'), first)).toEqual([[], [], ['hourly', 'purge']]);
    const decided = eventsToNote([event('hourly', 'ENABLED'), event('purge', 'DISABLED')], first);
    expect(chosen(replicated('hourly', 'purge'), decided)).toEqual([['hourly'], ['purge'], []]);
  });

  it('tells databases and names apart, whatever is in them', () => {
    const noted = noteOf({ ...event('b.c', 'ENABLED'), database: 'a' });
    expect(chosen([{ ...event('c', 'SLAVESIDE_DISABLED'), database: 'a.b' }], noted)).toEqual([[], [], ['c']]);
    expect(chosen([{ ...event('b.c', 'SLAVESIDE_DISABLED'), database: 'a' }], noted)).toEqual([['b.c'], [], []]);
  });
});

describe('the sentence of a run', () => {
  const report = (count: number): EventsReport => ({
    ...{ enabled: ['shop.hourly'], disabled: ['shop.purge'] },
    leftOff: Array.from({ length: count }, (_, index) => ({
      ...{ event: `shop.e${String(index)}`, why: 'denied', statement: `ALTER e${String(index)}` },
    })),
  });

  it('says nothing of events when nothing is left to a person', () => {
    expect([leftOffSentence(null), leftOffSentence(report(0))]).toEqual(['', '']);
  });

  it('says what kept them from it', () => {
    const said = '. WARNING: events: db2 is closed; standfast prepare does it again';
    expect(leftOffSentence(notRun('db2 is closed'))).toBe(said);
    expect(leftOffSentence({ ...report(1), fault: 'db2 is closed' })).toMatch(
      `${said}. WARNING: events are left off: shop.e0`,
    );
  });

  it('names the events that are left off, and the statement for each', () => {
    expect(leftOffSentence(report(1))).toBe(
      '. WARNING: events are left off: shop.e0 (denied; on the primary: ALTER e0)',
    );
    expect(leftOffSentence(report(7))).toMatch(/shop\.e4 .*; and 2 more$/);
  });
});
