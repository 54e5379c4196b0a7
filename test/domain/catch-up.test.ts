import { describe, expect, it } from 'vitest';
import { hindranceOf } from '../../domain/catch-up.ts';
import { channel } from './shop.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const stood = (atMs: number) => ({ progress: { position: '0-1-5', movedAtMs: 0 }, atMs });

describe('a copy that has to catch up', () => {
  it('is waited for while it runs, however long a transaction takes', () => {
    expect(hindranceOf(channel(), stood(HOUR - 1))).toBeNull();
  });

  it('is waited for while its receiver connects, and soon said why it does not', () => {
    const receiverError = { code: 1045, message: 'Access denied' };
    const deaf = channel({ receiver: 'connecting', receiverError });
    expect(hindranceOf(deaf, stood(30 * SECOND - 1))).toBeNull();
    expect(hindranceOf(deaf, stood(30 * SECOND))).toEqual({
      type: 'NotYet',
      why: 'its receiver is connecting (error 1045: Access denied); mend that, it is waited for',
    });
    const silent = channel({ receiver: 'stopped', receiverError: null });
    expect(hindranceOf(silent, stood(HOUR - 1))).toMatchObject({ type: 'NotYet' });
  });

  it('is given up when its applier failed, when nothing moved for an hour, and when it replicates no more', () => {
    const applierError = { code: 1062, message: 'Duplicate entry' };
    expect(hindranceOf(channel({ applierError }), stood(0))).toMatchObject({
      type: 'Unsafe',
      why: expect.stringContaining('error 1062: Duplicate entry') as string,
    });
    expect(hindranceOf(channel(), stood(HOUR))?.type).toBe('Unsafe');
    expect(hindranceOf(null, stood(0))?.type).toBe('Unsafe');
  });
});
