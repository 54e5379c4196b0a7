import { describe, expect, it } from 'vitest';
import { electPrimary } from '../../domain/election.ts';
import { parseGtids, renderGtids } from '../../domain/gtid.ts';
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

/** db2 wrote up to 0-2-106 and db1 went on from there; after a loss of power db2 has only 0-2-104, and replicates. */
const HOLED = { binlogState: '0-2-104,0-1-120', appliedPosition: '0-1-120' };
const holed = contender(DB2, { ...HOLED, replication: channel({ received: '0-1-120' }) });
const LOST = 'it wrote transactions itself that others have and it has lost: up to 0-2-106';

describe('what a server wrote itself and lost', () => {
  const of = (binlogState: string, appliedPosition: string, known: string) =>
    renderGtids(lostOwn({ serverId: 2, binlogState, appliedPosition }, parseGtids(known)));

  it('is what others know beyond its own log, in each domain, whatever its position says', () => {
    expect(of('0-2-104', '', '0-2-106,0-1-120')).toBe('0-2-106');
    expect(of('0-2-104,0-1-120', '0-1-120', '0-2-106,0-1-120')).toBe('0-2-106');
    expect(of('0-2-104,7-2-5', '', '0-2-104,7-2-9')).toBe('7-2-9');
    expect(of('0-2-106,0-1-110', '0-1-110', '0-2-106,0-1-120,0-3-130')).toBe('');
  });

  it('is not known from a log that was reset or began with a copy: then what it has applied counts', () => {
    expect(of('', '0-1-120', '0-2-106,0-1-120')).toBe('');
    expect(of('0-1-120', '0-1-120', '0-2-106,0-1-120')).toBe('');
    expect(of('', '0-1-105', '0-2-106,0-1-120')).toBe('0-2-106');
    expect(of('', '', '7-2-1')).toBe('7-2-1');
  });
});

describe('who has lost own transactions', () => {
  const elect = (lineage: string, contenders = [holed]) =>
    electPrimary({ contenders, primary: DB1, countries: ['NO'], lineage: [{ epoch: 3, serverId: 1, start: lineage }] });

  it('is not elected, though it is the only one: the last promotion recorded what it lacks', () => {
    expect(elect('0-2-106')).toMatchObject({ kind: 'refused', reason: 'no-eligible-replica' });
    expect(elect('0-2-106').because[0]?.vetoes).toEqual([LOST]);
    expect(elect('0-2-104').because[0]?.vetoes).toEqual([]);
  });

  it('is not elected where another contender has them', () => {
    const whole = contender(DB3, {
      ...{ binlogState: '0-2-106,0-1-120', appliedPosition: '0-1-120' },
      replication: channel({ received: '0-1-120' }),
    });
    const election = elect('', [holed, whole]);
    expect(election).toMatchObject({ kind: 'elected', host: 'db3' });
    expect(election.because[0]?.vetoes).toContain(LOST);
  });

  it('is found by a verification, where every position says that it is in step', () => {
    const primary = serverStatus({ binlogState: '0-2-106,0-1-120', binlogPosition: '0-1-120' });
    const observation = seen({
      db1: { server: answers(primary) },
      db2: { server: answers(replicaStatus(DB2, HOLED)) },
    });
    const lag = [{ host: 'db2', lagMs: 12, why: null }];
    const verdict = judgeReplication({ cluster: SHOP, observation, primary: 'db1', sync: LOSSLESS, lag });
    expect(verdict.replicas[0]).toMatchObject({ host: 'db2', gtidGap: 0, errant: '', lost: '0-2-106' });
    expect(verdict.findings).toMatchObject([
      {
        ...{ code: 'TransactionsLost', severity: 'bad', host: 'db2', remedy: 'provision the replica again' },
        explains: 'db2 has lost transactions that it wrote itself, up to 0-2-106; replication passes over them',
      },
    ]);
  });
});
