import { expect, it } from 'vitest';
import type { Transition } from '../../domain/watch.ts';
import { WatchBoard } from '../../domain/watch-board.ts';

const told = (host: string, code: string, change: Partial<Transition> = {}): Transition => ({
  ...{ cluster: 'shop', host, code, at: '2026-11-27T03:00:00.000Z', explains: `it is ${code}`, reaction: '' },
  ...change,
});

it('shows the last word about every host, in their order, and what is done about it', () => {
  const board = new WatchBoard('main');
  board.note(told('db2', 'Replicates'));
  board.note(told('db1', 'PrimaryServes'));
  board.note(told('db1', 'PrimaryProcessDead', { reaction: 'it is failed over' }));
  const lines = board.render().split('\n');
  expect(lines.filter((line) => line.startsWith('- **'))).toEqual([
    '- **shop/db1** PrimaryProcessDead: it is PrimaryProcessDead (it is failed over)',
    '- **shop/db2** Replicates: it is Replicates',
  ]);
  expect(lines.filter((line) => line.startsWith('- 2026'))).toHaveLength(3);
});

it('does not call a primary unknown any more once its hosts are told of', () => {
  const board = new WatchBoard('main');
  board.note(told('', 'PrimaryUnknown'));
  expect(board.render()).toContain('- **shop** PrimaryUnknown');
  board.note(told('db1', 'PrimaryServes'));
  expect(board.render()).not.toContain('- **shop** PrimaryUnknown');
});

it('keeps what is told of the cluster itself beside what is told of its hosts', () => {
  const board = new WatchBoard('main');
  board.note(told('', 'FailoverWouldRefuse', { reaction: 'bring db3 back' }));
  board.note(told('db1', 'PrimaryServes'));
  expect(board.render()).toContain('- **shop** FailoverWouldRefuse: it is FailoverWouldRefuse (bring db3 back)');
  board.note(told('', 'FailoverPossible'));
  expect(board.render()).not.toContain('- **shop** FailoverWouldRefuse');
});

it('counts the hosts of many clusters that are as they should be, and lists the others', () => {
  const board = new WatchBoard('main');
  for (let number = 0; number < 3_000; number += 1) board.note(told(`db${String(number)}`, 'Replicates'));
  board.note(told('db7', 'ReplicaSilent'));
  const lines = board.render().split('\n');
  expect(lines).toContain('2999 of 3000 hosts are as they should be.');
  expect(lines.filter((line) => line.startsWith('- **'))).toEqual([
    '- **shop/db7** ReplicaSilent: it is ReplicaSilent',
  ]);
});

it('says how many more are unwell than it lists', () => {
  const board = new WatchBoard('main');
  for (let number = 0; number < 3_000; number += 1) board.note(told(`db${String(number)}`, 'ReplicaSilent'));
  const lines = board.render().split('\n');
  expect(lines).toContain('- and 2700 more');
  expect(lines.length).toBeLessThan(400);
});

it('stays small however much happens', () => {
  const board = new WatchBoard('main');
  for (let times = 0; times < 500; times += 1)
    board.note(told('db1', times % 2 === 0 ? 'PrimaryServes' : 'PrimaryHung'));
  expect(board.render().split('\n').length).toBeLessThan(30);
});
