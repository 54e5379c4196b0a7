import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withoutGuard } from '../../chaos/guards/guard.ts';
import { GUARDS } from '../../chaos/guards/table.ts';
import { faultOfBaseline, judgeMutant } from '../../chaos/guards/verdict.ts';

const [guard] = GUARDS;
const ran = { passed: [], failed: [], trouble: '' };

describe('the table of guards', () => {
  it('names every guard once', () => {
    const names = GUARDS.map(({ name }) => name);
    expect(names.length).toBe(new Set(names).size);
    expect(names.length).toBeGreaterThan(40);
  });

  it.each(GUARDS)('finds the guard "$name" exactly once in its file', (one) => {
    expect(() => withoutGuard(one, readFileSync(one.file, 'utf8'))).not.toThrow();
  });

  it.each(GUARDS)('finds the test of the guard "$name"', ({ test }) => {
    expect(existsSync(test.file)).toBe(true);
    expect(readFileSync(test.file, 'utf8').includes(test.title)).toBe(true);
  });

  it('does not accept a text that is not there, or there twice', () => {
    const one = { ...guard, name: 'x', text: 'if (a)', without: '' } as (typeof GUARDS)[number];
    expect(() => withoutGuard(one, 'b')).toThrow('0 times');
    expect(() => withoutGuard(one, 'if (a) if (a)')).toThrow('2 times');
    expect(withoutGuard(one, 'x if (a) y')).toBe('x  y');
  });
});

describe('a guard', () => {
  it('is missed when a test fails by an assertion without it', () => {
    const failed = [{ title: 't', why: 'AssertionError: expected 1 to be 2' }];
    expect(judgeMutant({ ...ran, failed }).isMissed).toBe(true);
  });

  it.each([
    ['every test is green', { ...ran, passed: ['t'] }],
    ['no test ran', { ...ran, trouble: 'SyntaxError' }],
    ['a test crashed', { ...ran, failed: [{ title: 't', why: 'TypeError: x is not a function' }] }],
    ['a test timed out', { ...ran, failed: [{ title: 't', why: 'Error: Test timed out in 120000ms.' }] }],
  ])('is not missed when %s without it', (_, run) => {
    expect(judgeMutant(run).isMissed).toBe(false);
  });

  it('is not judged by a test that is red with it, or is not there', () => {
    if (guard === undefined) throw new Error('the table is empty');
    const { title } = guard.test;
    expect(faultOfBaseline(guard, { ...ran, passed: [`a claim ${title}`] })).toBeNull();
    expect(faultOfBaseline(guard, { ...ran, failed: [{ title, why: 'AssertionError: x' }] })).toContain('red with');
    expect(faultOfBaseline(guard, { ...ran, passed: ['another'] })).toContain('no test of');
  });
});
