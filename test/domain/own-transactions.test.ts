import { describe, expect, it } from 'vitest';
import type { Contender } from '../../domain/election.ts';
import { electPrimary } from '../../domain/election.ts';
import { parseGtids, renderGtids } from '../../domain/gtid.ts';
import type { Lineage } from '../../domain/lineage.ts';
import { lostOwn } from '../../domain/own-transactions.ts';
import { judgeReplication } from '../../domain/verdict.ts';
import {
  answers,
  channel,
  contender,
  DB1,
  DB2,
  DB3,
  LOSSLESS,
  replicaStatus,
  seen,
  serverStatus,
  SHOP,
} from './shop.ts';

const at = (epoch: number, serverId: number, start: string) => ({ epoch, serverId, start });
/** In care since db3 was primary; db2 wrote from 0-2-101 to 0-2-106, and db1 went on from there. */
const LINEAGE: Lineage = [at(1, 3, '0-2-60,0-3-90'), at(2, 2, '0-2-60,0-3-100'), at(3, 1, '0-3-100,0-2-106')];
const WHOLE = '0-3-100,0-2-106,0-1-120';
/** After a loss of power db2 has only 0-2-104, and replicates. */
const HOLED = { binlogState: '0-3-100,0-2-104,0-1-120', appliedPosition: '0-1-120' };
const holding = (host: typeof DB2, binlogState: string, appliedPosition = '0-1-120'): Contender =>
  contender(host, { binlogState, appliedPosition, replication: channel({ received: appliedPosition }) });
const LOST = 'its log lacks transactions that it wrote itself and others have, up to 0-2-106';

describe('what a server wrote itself and lost', () => {
  const of = (binlogState: string, appliedPosition: string, known = WHOLE, lineage = LINEAGE) =>
    renderGtids(lostOwn({ serverId: 2, binlogState, appliedPosition }, parseGtids(known), lineage));

  it('is what others know beyond its own log, in each domain, whatever its position says', () => {
    expect(of('0-3-100,0-2-104', '')).toBe('0-2-106');
    expect(of('0-3-100,0-2-104,0-1-120', '0-1-120')).toBe('0-2-106');
    expect(of('0-2-104,7-2-5', '', '0-2-104,7-2-9', [at(1, 2, '0-3-1')])).toBe('7-2-9');
    expect(of(WHOLE, '0-1-120', `${WHOLE},0-3-130`)).toBe('');
  });

  it('is not known from a log that was reset or began with a copy: then what it has applied counts', () => {
    expect(of('', '0-1-120')).toBe('');
    expect(of('0-1-120', '0-1-120')).toBe('');
    expect(of('', '0-1-105')).toBe('0-2-106');
  });

  it('is not what was there before the oldest promotion on record: its log may have begun since, under old numbers', () => {
    expect(of('0-2-6,0-3-100', '0-3-100', '0-2-60,0-3-100', LINEAGE.slice(0, 1))).toBe('');
    expect(of('0-2-6,0-1-120', '0-1-120', WHOLE, LINEAGE.slice(2))).toBe('');
    expect(of('0-2-6,0-1-120', '0-1-120', WHOLE, [])).toBe('');
    expect(of('0-2-6,0-1-120', '0-1-120', WHOLE, [at(1, 3, '')])).toBe('');
  });

  it('is not what a promotion cut off', () => {
    expect(of(WHOLE, '0-1-120', `${WHOLE},0-2-109`)).toBe('');
  });
});

describe('who has lost own transactions', () => {
  const elect = (contenders: readonly Contender[], lineage = LINEAGE) =>
    electPrimary({ contenders, primary: DB1, countries: ['NO'], lineage });
  const holed = holding(DB2, HOLED.binlogState);

  it('is not elected, though it is the only one: the last promotion recorded what it lacks', () => {
    expect(elect([holed])).toMatchObject({ kind: 'refused', reason: 'no-eligible-replica' });
    expect(elect([holed]).because[0]?.vetoes).toEqual([LOST]);
    expect(elect([holding(DB2, WHOLE)])).toMatchObject({ kind: 'elected', host: 'db2' });
  });

  it('is not elected where another contender has them', () => {
    const election = elect([holed, holding(DB3, WHOLE)]);
    expect(election).toMatchObject({ kind: 'elected', host: 'db3' });
    expect(election.because[0]?.vetoes).toContain(LOST);
  });

  it('is not told by a domain that everybody has given up since it was recorded', () => {
    const lineage = [at(1, 3, '0-3-90'), at(3, 1, '0-3-90,7-2-5')];
    expect(elect([holding(DB2, '0-3-90,0-1-120')], lineage)).toMatchObject({ kind: 'elected', host: 'db2' });
    expect(elect([holding(DB2, '0-3-90,7-2-4,0-1-120', '0-1-120,7-2-4')], lineage)).toMatchObject({ kind: 'refused' });
  });

  it('is found by a verification, where every position says that it is in step', () => {
    const primary = serverStatus({ binlogState: WHOLE, binlogPosition: '0-1-120' });
    const observation = seen({
      db1: { server: answers(primary) },
      db2: { server: answers(replicaStatus(DB2, HOLED)) },
    });
    const verdict = judgeReplication({
      ...{ cluster: SHOP, observation, primary: 'db1', sync: LOSSLESS, lineage: LINEAGE },
      lag: [{ host: 'db2', lagMs: 12, why: null }],
    });
    expect(verdict.replicas[0]).toMatchObject({ host: 'db2', gtidGap: 0, errant: '', lost: '0-2-106' });
    expect(verdict.findings.filter(({ host }) => host === 'db2')).toMatchObject([
      {
        ...{ code: 'TransactionsLost', severity: 'bad', host: 'db2' },
        explains: expect.stringContaining('the log of db2 lacks transactions that it wrote itself') as string,
        remedy: expect.stringMatching(
          /acker remove shop db2; stop .* discard-data host=db2; .* provision shop db2$/,
        ) as string,
      },
    ]);
  });
});
