import { NO_RISK } from '../../domain/acceptance.ts';
import { planOf } from '../../domain/plan.ts';
import { SHOP } from '../domain/shop.ts';

/** db1 serves; db2 would take over, and db3 would follow it. */
export const planned = planOf({
  cluster: SHOP,
  primary: 'db1',
  diagnosis: { code: 'PrimaryServes', explains: 'the primary answers and accepts writes', consequence: 'leave' },
  fence: ['ssh', 'powerOff'],
  elected: {
    winner: 'db2',
    votes: ['db2', 'db3'].map((host) => ({ host, received: '0-1-100', vetoes: [] })),
    ackers: ['db3'],
    byAckers: { kind: 'lossless', by: 'ackers', why: '2 of 2 recorded ackers contribute (db2, db3), 2 needed' },
    risk: NO_RISK,
  },
  refusal: null,
  ifHostDies: null,
});
