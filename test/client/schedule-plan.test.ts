import { expect, test } from 'vitest';
import type { FoundSchedule, Terms, WantedSchedule } from '../../client/schedule-plan.ts';
import { offsetSeconds, planSchedules, wantedSchedules } from '../../client/schedule-plan.ts';
import { parseInventory } from '../../inventory/load.ts';
import { EXAMPLE } from '../inventory/example.ts';

const wanted = wantedSchedules(parseInventory('standfast.yaml', EXAMPLE));

const termsOf = (one: WantedSchedule): Terms => ({
  every: `${String(one.everySeconds)} s`,
  starts: one.workflowType,
  queue: 'standfast',
  overlap: 'SKIP',
  'catch-up': '60 s',
  note: one.does,
});

const there = (one: WantedSchedule, change: Partial<FoundSchedule> = {}): FoundSchedule => ({
  scheduleId: one.scheduleId,
  owner: 'standfast',
  cluster: one.cluster,
  isPaused: false,
  terms: termsOf(one),
  ...change,
});

const plan = (found: readonly FoundSchedule[], asked = wanted) =>
  planSchedules({ wanted: asked, found, owner: 'standfast', termsOf }).map(({ scheduleId, action, why }) => [
    action,
    scheduleId,
    why,
  ]);

test('a cluster is verified every minute and audited every day, and each set of files is copied as often as it says', () => {
  expect(
    wanted.map(({ scheduleId, everySeconds, workflowType, input }) => [scheduleId, everySeconds, workflowType, input]),
  ).toEqual([
    ['standfast-verify-shop', 60, 'verifyReplication', { cluster: 'shop' }],
    ['standfast-files-shop.uploads', 300, 'syncFiles', { cluster: 'shop', fileset: 'uploads' }],
    ['standfast-audit-shop', 86_400, 'auditCluster', { cluster: 'shop' }],
  ]);
});

test('what is missing is created, and what is as wanted is kept', () => {
  expect(plan([]).map(([action]) => action)).toEqual(['create', 'create', 'create']);
  expect(plan(wanted.map((one) => there(one))).map(([action]) => action)).toEqual(['keep', 'keep', 'keep']);
});

test('each term that differs is named, with what it is and what it will be', () => {
  const found = wanted.map((one) => there(one, { terms: { ...termsOf(one), every: '3600 s', overlap: 'ALLOW_ALL' } }));
  expect(plan(found)[0]).toEqual([
    'update',
    'standfast-verify-shop',
    'every: 3600 s → 60 s; overlap: ALLOW_ALL → SKIP',
  ]);
});

test('the note of a paused schedule is no difference, and of a running one it is', () => {
  const noted = (isPaused: boolean) =>
    wanted.map((one) => there(one, { isPaused, terms: { ...termsOf(one), note: 'moving the racks' } }));
  expect(plan(noted(true))[0]).toEqual(['keep', 'standfast-verify-shop', 'paused, and left so: moving the racks']);
  expect(plan(noted(false))[0]?.[0]).toBe('update');
});

test('what the inventory does not ask for any more is deleted when it is ours, and left out when it is not', () => {
  const [first] = wanted;
  if (first === undefined) throw new Error('the example has a cluster');
  const gone = (scheduleId: string, owner: string | null) => there(first, { scheduleId, owner });
  const found = [gone('standfast-verify-old', 'standfast'), gone('theirs', null), gone('standfast-verify-x', 'other')];
  const changes = plan([...wanted.map((one) => there(one)), ...found]).filter(([action]) => action !== 'keep');
  expect(changes).toEqual([['delete', 'standfast-verify-old', 'the inventory does not ask for it any more']]);
});

test('an inventory of which nothing is there yet deletes nothing: what is there may be of another one', () => {
  const [first] = wanted;
  if (first === undefined) throw new Error('the example has a cluster');
  const theirs = there(first, { scheduleId: 'standfast-verify-blog', cluster: 'blog' });
  const [change] = plan([theirs]).filter(([, scheduleId]) => scheduleId === 'standfast-verify-blog');
  expect(change?.[0]).toBe('refuse');
  expect(change?.[2]).toContain('may belong to another inventory');
});

test.each([
  [null, 'somebody else made the schedule with this ID'],
  ['other', 'the Standfast of the task queue other made the schedule with this ID'],
])('an ID that is taken by %s is refused, also when all terms are the same', (owner, why) => {
  expect(plan(wanted.map((one) => there(one, { owner })))[0]).toEqual(['refuse', 'standfast-verify-shop', why]);
});

test('no two names give one ID', () => {
  const files = (name: string, fileset: string) => ({ name, files: [{ name: fileset, everyMs: 1000 }] });
  const all = wantedSchedules({ clusters: [files('a', 'b-c'), files('a-b', 'c'), files('verify', 'a')] });
  expect(new Set(all.map(({ scheduleId }) => scheduleId)).size).toBe(all.length);
});

test('a fleet is spread over its period, and each schedule always fires at the same time', () => {
  const offsets = Array.from({ length: 500 }, (_, index) =>
    offsetSeconds({ scheduleId: `standfast-verify-shop${String(index)}`, everySeconds: 60 }),
  );
  const most = Math.max(...offsets.map((offset) => offsets.filter((other) => other === offset).length));
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...offsets)).toBeLessThan(60);
  expect(most).toBeLessThan(30); // 8.3 on average; all 500 without an offset
  expect(offsetSeconds({ scheduleId: 'standfast-verify-shop', everySeconds: 60 })).toBe(
    offsetSeconds({ scheduleId: 'standfast-verify-shop', everySeconds: 60 }),
  );
});
