import { describe, expect, it } from 'vitest';
import { noteProgress, standsStill } from '../../domain/progress.ts';

const HOUR = 3_600_000;

describe('progress', () => {
  it('begins where it is first seen, and stands still only after the whole time without a move', () => {
    const first = noteProgress(null, { position: '0-1-5', atMs: 1_000 });
    const same = noteProgress(first, { position: '0-1-5', atMs: 1_000 + HOUR });
    expect(same).toEqual({ position: '0-1-5', movedAtMs: 1_000 });
    expect(standsStill(same, { atMs: 999 + HOUR, forMs: HOUR })).toBe(false);
    expect(standsStill(same, { atMs: 1_000 + HOUR, forMs: HOUR })).toBe(true);
  });

  it('is made by any move, however many looks it takes: a slow copy is not given up', () => {
    let progress = noteProgress(null, { position: '0-1-0', atMs: 0 });
    for (let step = 1; step <= 1_000; step += 1) {
      const now = { position: `0-1-${String(step)}`, atMs: step * (HOUR - 1) };
      expect(standsStill(progress, { atMs: now.atMs, forMs: HOUR })).toBe(false);
      progress = noteProgress(progress, now);
    }
  });
});
