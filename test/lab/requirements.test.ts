import { describe, expect, it } from 'vitest';
import { missingFor } from '../../lab/requirements.ts';

const complete = { platform: 'linux', uid: 0, has: (): boolean => true };

describe('what the lab needs', () => {
  it('is content with root on Linux and all programs', () => {
    expect(missingFor(complete)).toEqual([]);
  });

  it('names a missing program, its package and the command that brings it', () => {
    expect(missingFor({ ...complete, has: (program) => program !== 'keepalived' })).toEqual([
      'the program keepalived is missing (Debian package keepalived)',
      'on Debian or Ubuntu: apt-get install keepalived',
    ]);
  });

  it('asks for root', () => {
    expect(missingFor({ ...complete, uid: 1000 })).toEqual([expect.stringContaining('run it as root')]);
  });

  it('names another system instead of listing programs', () => {
    expect(missingFor({ ...complete, platform: 'darwin', has: () => false })).toEqual([
      expect.stringContaining('this is darwin'),
    ]);
  });
});
