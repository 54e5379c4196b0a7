import { describe, expect, it } from 'vitest';
import { FAILURE_TYPES, isFailureType, NEVER_RETRIED } from '../../domain/failure.ts';

describe('the failure vocabulary', () => {
  it('is retried by the server only where waiting can help', () => {
    const retried = Object.entries(FAILURE_TYPES).filter(([, entry]) => entry.retried);
    expect(retried.map(([type]) => type)).toEqual(['Unreachable', 'NotYet', 'Unverified']);
    expect([...NEVER_RETRIED].sort()).toEqual(['BadInput', 'Busy', 'Stale', 'Unhealthy', 'Unsafe']);
  });

  it('explains each of its words differently', () => {
    const meanings = Object.values(FAILURE_TYPES).map((entry) => entry.means);
    expect(new Set(meanings).size).toBe(meanings.length);
  });

  it('knows its own words', () => {
    expect(Object.keys(FAILURE_TYPES).every(isFailureType)).toBe(true);
  });

  it.each(['Timeout', 'unsafe', 'toString', '__proto__', '', null, undefined, 5, {}])('does not know %j', (value) => {
    expect(isFailureType(value)).toBe(false);
  });
});
