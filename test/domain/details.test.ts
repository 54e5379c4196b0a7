import { describe, expect, it } from 'vitest';
import type { Progress } from '../../domain/details.ts';
import { renderProgress } from '../../domain/details.ts';

const PROGRESS: Progress = {
  title: 'Failover of shop',
  phases: ['observe', 'fence', 'promote'],
  now: 'fence',
  notes: [],
  next: null,
};

describe('what the Temporal UI shows of a run', () => {
  it('ticks what is done, marks what runs, and leaves the rest open', () => {
    expect(renderProgress(PROGRESS)).toBe(
      '### Failover of shop\n\n- [x] observe\n- [ ] **fence** (now)\n- [ ] promote\n',
    );
  });

  it('ticks every phase of a run that ended', () => {
    expect(renderProgress({ ...PROGRESS, now: 'done' })).toBe(
      '### Failover of shop\n\n- [x] observe\n- [x] fence\n- [x] promote\n',
    );
  });

  it('ends with the notes, each in a paragraph of its own, and with the next step', () => {
    const notes = ['db1 is fenced.', 'db2 leads.'];
    expect(renderProgress({ ...PROGRESS, phases: [], notes, next: 'standfast status shop' })).toBe(
      '### Failover of shop\n\n\ndb1 is fenced.\n\ndb2 leads.\n\n**Next:** standfast status shop',
    );
  });
});
