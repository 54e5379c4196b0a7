import { expect, it } from 'vitest';
import { inWords } from '../../domain/thread-errors.ts';

it('says what a code means before what the server says', () => {
  expect(inWords({ code: 1062, message: "Duplicate entry '7' for key 'PRIMARY'" })).toBe(
    "the row to insert exists here already: somebody wrote on the replica; error 1062: Duplicate entry '7' for key 'PRIMARY'",
  );
});

it('leaves a code that it does not know to the server', () => {
  expect(inWords({ code: 4242, message: 'something new' })).toBe('error 4242: something new');
});
