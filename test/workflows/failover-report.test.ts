import { expect, it } from 'vitest';
import type { FailoverDecision, FenceProof } from '../../domain/report.ts';
import type { Ready } from '../../workflows/failover-report.ts';
import { asDecidedBefore } from '../../workflows/failover-report.ts';

const decision = (fence: FenceProof, more: Partial<FailoverDecision> = {}): FailoverDecision => ({
  diagnosis: { code: 'PrimaryDead', explains: 'db1 is dead' } as unknown as FailoverDecision['diagnosis'],
  votes: [],
  fence,
  coverage: { kind: 'lossy', why: 'two writes are only on db1', missing: '0-1-2', count: 2 },
  salvage: {
    applied: { count: 0, gtids: [] },
    quarantined: { count: 2, gtids: [] },
  } as unknown as FailoverDecision['salvage'],
  accepted: null,
  ...more,
});
const ready = (winner: string, of: FailoverDecision): Ready => ({
  kind: 'ready',
  winner,
  epoch: { number: 9, run: 'run-9' },
  decision: of,
  timeline: [],
});

const ACCEPTED = { by: 'ann', reason: 'shop must open', fence: false, loss: 2 };
const first = ready('db2', decision({ rung: 'ssh', host: 'db1', proof: 'gone' }, { accepted: ACCEPTED }));
const again = ready('db2', decision({ rung: 'earlier', host: 'db1', proof: 'proven by the earlier run' }));

it('a winner that was lost and is gone on with keeps the loss that was accepted for it', () => {
  const next = asDecidedBefore(again, [{ fenced: first, why: 'db2 was lost' }]);
  expect(next).toEqual({ ...again, decision: first.decision });
});

it('what an earlier run decided is not known, and what was decided of another primary does not count', () => {
  expect(asDecidedBefore(again, [])).toBe(again);
  const other = ready('db2', decision({ rung: 'ssh', host: 'db3', proof: 'gone' }));
  expect(asDecidedBefore(again, [{ fenced: other, why: 'db2 was lost' }])).toBe(again);
});

it('its host counts as off where that was proven again', () => {
  const off = { rung: 'powerOff', host: 'db1', proof: 'the hook confirms' } as const;
  const proven = decision({ rung: 'earlier', host: 'db1', proof: 'by the earlier run', again: off });
  const next = asDecidedBefore(ready('db2', proven), [{ fenced: first, why: 'db2 was lost' }]);
  expect(next.decision).toEqual({ ...first.decision, fence: { ...first.decision.fence, again: off } });
});
