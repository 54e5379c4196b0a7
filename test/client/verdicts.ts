import type { Verdict } from '../../client/index.ts';

export const healthy: Verdict = {
  state: 'ok',
  sentence: '3 of 3 hosts healthy; can lose 1',
  primary: 'db1',
  vipHolders: ['db1'],
  replicas: [
    {
      host: 'db2',
      source: 'db1',
      receiver: 'running',
      applier: 'running',
      lagMs: 11.6,
      lagErrorMs: 3.2,
      clock: { offsetMs: -0.4, errorMs: 0.9 },
      gtidGap: 0,
      errant: '',
      readOnly: true,
    },
    {
      host: 'db3',
      source: 'db1',
      receiver: 'running',
      applier: 'running',
      lagMs: 104,
      lagErrorMs: 5,
      clock: null,
      gtidGap: 3,
      errant: '',
      readOnly: true,
    },
  ],
  findings: [],
};

export const broken: Verdict = {
  state: 'bad',
  sentence: '2 of 3 hosts healthy: the IO thread of db3 is stopped',
  primary: 'db1',
  vipHolders: [],
  replicas: [
    ...healthy.replicas.slice(0, 1),
    {
      host: 'db3',
      source: null,
      receiver: 'unknown',
      applier: 'unknown',
      lagMs: null,
      lagErrorMs: null,
      clock: null,
      gtidGap: null,
      errant: '',
      readOnly: null,
    },
  ],
  findings: [
    {
      code: 'VipNowhere',
      severity: 'bad',
      host: 'db1',
      explains: 'no host that answers holds the VIP',
      remedy: 'standfast prepare shop db1',
    },
    {
      code: 'LagHigh',
      severity: 'warn',
      host: 'db2',
      explains: 'db2 lags 1500 ms, more than 1000 ms',
      remedy: 'look at its load and at long transactions',
    },
  ],
};
