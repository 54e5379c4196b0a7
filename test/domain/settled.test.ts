import { expect, it } from 'vitest';
import { Settled } from '../../domain/settled.ts';

it('tells what has stayed for long enough, and once', () => {
  const settled = new Settled<string>(150);
  expect(settled.hear('a', 'first', 0)).toBeNull();
  expect(settled.hear('a', 'first', 149)).toBeNull();
  expect(settled.hear('a', 'as it is now', 150)).toBe('as it is now');
  expect(settled.hear('a', 'first', 1_000)).toBeNull();
});

it('does not tell what flickers, nor that it is as before', () => {
  const settled = new Settled<string>(150);
  settled.hear('a', 'a', 0);
  settled.hear('a', 'a', 150);
  expect(settled.hear('b', 'b', 200)).toBeNull();
  expect(settled.hear('a', 'a', 340)).toBeNull();
  expect(settled.hear('b', 'b', 360)).toBeNull();
  expect(settled.hear('b', 'b', 500)).toBeNull();
  expect(settled.hear('b', 'b', 510)).toBe('b');
});
