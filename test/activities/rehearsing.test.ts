import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepRehearsing } from '../../activities/rehearsing.ts';
import type { Rehearsed } from '../../adapters/ports.ts';
import { Turns } from '../../adapters/turns.ts';
import type { Transition } from '../../domain/watch.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { pass } from './sim/session.ts';

inSimulatedTime();

const HOUR = 3_600_000;
const possible: Rehearsed = { kind: 'planned', sentence: 'db2 would be promoted' };
const refused: Rehearsed = { kind: 'would-refuse', sentence: 'it would refuse: no replica', remedy: 'bring one back' };
const unknown: Rehearsed = { kind: 'unknown' };

let over = new AbortController();
beforeEach(() => {
  over = new AbortController();
});
afterEach(() => {
  over.abort();
});

interface Given {
  readonly everyMs?: number;
  readonly turns?: Turns;
  readonly found?: readonly Rehearsed[];
}

function begin({ everyMs = HOUR, turns = new Turns(1), found = [] }: Given = {}) {
  const [told, at]: [Transition[], number[]] = [[], []];
  const state = { serves: true, ended: false };
  const runs = {
    rehearse: () => {
      at.push(performance.now());
      return Promise.resolve(found[at.length - 1] ?? possible);
    },
  };
  const tell = (one: Transition): void => void told.push(one);
  const rehearsing = { cluster: 'shop', everyMs, runs, tell, turns, serves: () => state.serves };
  void keepRehearsing(rehearsing, over.signal).then(() => (state.ended = true));
  return { told, at, state };
}

it('begins at once, and again after each period', async () => {
  const { at, told } = begin();
  await pass(2.5 * HOUR);
  expect(at).toHaveLength(3);
  expect(told).toEqual([]);
});

it('never does where the policy says so', async () => {
  const { at, state } = begin({ everyMs: 0 });
  await pass(2 * HOUR);
  expect(at).toEqual([]);
  expect(state.ended).toBe(true);
});

it('waits until the primary serves', async () => {
  const { at, state } = begin();
  state.serves = false;
  await pass(HOUR);
  expect(at).toHaveLength(1); // before it stopped serving
  await pass(HOUR);
  expect(at).toHaveLength(1);
  state.serves = true;
  await pass(2_000);
  expect(at).toHaveLength(2);
});

it('tells only what has become different; what is not known changes nothing', async () => {
  const { told } = begin({ found: [possible, refused, refused, unknown, refused, possible] });
  await pass(6.5 * HOUR);
  expect(told.map(({ code, explains, reaction }) => [code, explains, reaction])).toEqual([
    ['FailoverWouldRefuse', refused.sentence, refused.remedy],
    ['FailoverPossible', possible.sentence, ''],
  ]);
  expect(told[0]).toMatchObject({ cluster: 'shop', host: '' });
});

it('tells that it would go through only while the host of the primary lives', async () => {
  const needsHost: Rehearsed = { kind: 'needs-host', sentence: 'but not if its host died', remedy: 'set a power hook' };
  const { told } = begin({ found: [needsHost, needsHost, possible] });
  await pass(2.5 * HOUR);
  expect(told.map(({ code }) => code)).toEqual(['FailoverNeedsHost', 'FailoverPossible']);
});

it('those of one process come one after the other', async () => {
  const turns = new Turns(1);
  const all = Array.from({ length: 4 }, () => begin({ turns }));
  await pass(60_000);
  const instants = all.flatMap(({ at }) => at).sort((one, other) => one - other);
  expect(instants).toHaveLength(4);
  instants.slice(1).forEach((instant, index) => {
    expect(instant - (instants[index] ?? 0)).toBeGreaterThanOrEqual(2_999);
  });
});

it('ends when it is aborted while it waits for its turn, which another one never gives back', async () => {
  const turns = new Turns(1);
  await turns.take();
  const { state, at } = begin({ turns });
  await pass(1_000);
  over.abort();
  await pass(1);
  expect({ ended: state.ended, at }).toEqual({ ended: true, at: [] });
});

it('a rehearsal that never ends keeps the others for half a minute', async () => {
  const turns = new Turns(1);
  const never = () => new Promise<Rehearsed>(() => undefined);
  const stuck = {
    cluster: 'stuck',
    everyMs: HOUR,
    runs: { rehearse: never },
    tell: () => undefined,
    turns,
    serves: () => true,
  };
  void keepRehearsing(stuck, over.signal);
  const { at } = begin({ turns });
  await pass(60_000);
  expect(at).toHaveLength(1);
});

it('ends when it is aborted, and gives its turn back', async () => {
  const turns = new Turns(1);
  const { state } = begin({ turns });
  await pass(1_000);
  over.abort();
  await pass(1);
  expect(state.ended).toBe(true);
  over = new AbortController();
  const { at } = begin({ turns });
  await pass(1);
  expect(at).toHaveLength(1);
});
