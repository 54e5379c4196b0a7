import { NOTHING_TO_SALVAGE } from '../../domain/tail.ts';
import type { FailoverResult, TimelineEntry } from '../../client/index.ts';
import { healthy } from './verdicts.ts';

const entry = (step: string, second: string, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
  step,
  host: null,
  startedAt: `2026-03-02T03:00:${second}Z`,
  durationMs: 40,
  attempt: 1,
  worker: 'control/100',
  outcome: 'done',
  ...more,
});

/** db1 died; the worker died after the fence, and another one went on. */
export const failedOver: FailoverResult = {
  outcome: 'failed-over',
  cluster: 'shop',
  oldPrimary: 'db1',
  newPrimary: 'db2',
  epoch: { number: 7, run: 'run-1' },
  sentence: 'db2 is the primary of shop; no acknowledged write was lost',
  decision: {
    diagnosis: {
      code: 'PrimaryProcessDead',
      explains: "the primary's host answers and no database server runs on it",
      consequence: 'failOver',
    },
    votes: [
      { host: 'db2', received: '0-1-120', vetoes: [] },
      { host: 'db3', received: '0-1-118', vetoes: ['its disk is full'] },
    ],
    fence: { rung: 'ssh', host: 'db1', proof: 'process gone, port 3306 refused' },
    coverage: { kind: 'lossless', by: 'ackers', why: '2 of 2 recorded ackers contribute (db2, db3), 2 needed' },
    salvage: NOTHING_TO_SALVAGE,
    accepted: null,
  },
  loss: {
    lossless: true,
    explains: '2 of 2 recorded ackers contribute (db2, db3), 2 needed',
    lost: { count: 0, gtids: [] },
    missing: '',
    salvage: NOTHING_TO_SALVAGE,
  },
  abandoned: [],
  timeline: [
    entry('observe', '07.100', { durationMs: 12.4 }),
    entry('fence', '07.120', { host: 'db1', outcome: 'port refused' }),
    entry('elect', '08.400', { attempt: 2, worker: 'control/200' }),
    entry('open', '08.500', { host: 'db2' }),
    entry('vip', '08.540', { host: 'db2', durationMs: 1310 }),
  ],
  verdict: healthy,
};
