import { describe, expect, it } from 'vitest';
import { gapBefore, isMarked, longestPause } from '../../bench/greetings.ts';

/** As MariaDB 10.11 sends it, with a status. */
function greeting(status: number): Uint8Array {
  const version = Buffer.from('5.5.5-10.11.14-MariaDB-0+deb12u2-log\0');
  const rest = Buffer.alloc(4 + 8 + 1 + 2 + 1 + 2 + 13);
  rest.fill('x', 4, 12);
  rest.writeUInt16LE(status, 16);
  return Buffer.concat([Buffer.from([90, 0, 0, 0, 10]), version, rest]);
}

describe('a first packet', () => {
  it('is marked by its status, and by nothing else in it', () => {
    expect(isMarked(greeting(0x0002))).toBe(false);
    expect(isMarked(greeting(0xfdff))).toBe(false);
    expect(isMarked(greeting(0x0202))).toBe(true);
  });

  it('is no greeting when it is an error, or cut off before its status ends', () => {
    const refusal = Buffer.from([10, 0, 0, 0, 0xff, 0x10, 0x04, ...Buffer.from('Too many')]);
    expect(isMarked(refusal)).toBeNull();
    const whole = greeting(0x0202);
    expect(isMarked(whole.subarray(0, whole.indexOf(0, 5) + 18))).toBeNull();
    expect(isMarked(whole.subarray(0, 20))).toBeNull();
    expect(isMarked(new Uint8Array())).toBeNull();
  });
});

const at = (milliseconds: number, marked: boolean) => ({ at: milliseconds * 1_000, marked });

describe('the greetings around a move', () => {
  const greetings = [at(0, false), at(2, false), at(4.5, false), at(12, true), at(14, true)];

  it('have a gap between the last of the old holder and the first of the new one', () => {
    expect(gapBefore(greetings, true)).toBe(7.5);
  });

  it('show two that answered at once as a gap below zero', () => {
    expect(gapBefore([...greetings, at(15, false)], true)).toBe(-3);
  });

  it('have no gap without both', () => {
    expect(() => gapBefore(greetings.slice(0, 3), true)).toThrow('never greeted');
    expect(() => gapBefore([], false)).toThrow('never greeted');
  });

  it('have a longest pause, whoever answered', () => {
    expect(longestPause(greetings)).toBe(7.5);
    expect(() => longestPause(greetings.slice(0, 1))).toThrow('no pause');
  });
});
