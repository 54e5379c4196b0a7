import { describe, expect, it } from 'vitest';
import type { HostObservation, SemiSyncStatus } from '../../domain/observation.ts';
import type { SyncRecord } from '../../domain/records.ts';
import type { Finding } from '../../domain/verdict.ts';
import { judgeReplication } from '../../domain/verdict.ts';
import { answers, DB3, helper, LOSSLESS, replicaStatus, seen, serverStatus, SHOP, silence, WAITING } from './shop.ts';

type Changes = Readonly<Record<string, Partial<HostObservation>>>;

const findings = (changes: Changes, sync: SyncRecord | null = LOSSLESS): readonly Finding[] =>
  judgeReplication({ cluster: SHOP, observation: seen(changes), primary: 'db1', sync, lag: [] }).findings;
const inShort = (found: readonly Finding[]): readonly string[] =>
  found.map((one) => `${one.severity} ${one.host} ${one.code}`);
const primary = (changes: Partial<SemiSyncStatus>): Partial<HostObservation> => ({
  server: answers(serverStatus({ semiSync: { ...WAITING, attached: [2, 3], ...changes } })),
});
const ALONE: SyncRecord = { ...LOSSLESS, ackers: ['db2'] };
const ASYNC: SyncRecord = { ...LOSSLESS, mode: 'async', ackers: [], k: 0 };

describe('the record and the servers', () => {
  it('agree in a healthy cluster', () => {
    expect(findings({ db1: primary({}) })).toEqual([]);
  });

  it('differ when a recorded acker is not connected, whatever it says itself', () => {
    const [found] = findings({ db1: primary({ attached: [2], clients: 1 }) });
    expect(found).toMatchObject({ code: 'AckerDetached', severity: 'bad', host: 'db3' });
    expect(found?.remedy).toContain('standfast acker remove shop db3');
  });

  it('differ when one that is down is still on record: it says what to run', () => {
    const down = { server: silence(), helper: silence() };
    expect(inShort(findings({ db1: primary({ attached: [2], clients: 1 }), db3: down }))).toEqual([
      'bad db3 ReplicaDown',
      'bad db3 HelperSilent',
      'bad db3 AckerDetached',
    ]);
  });

  it('differ when somebody acknowledges who is not on record', () => {
    const found = findings({ db1: primary({}) }, ALONE);
    expect(inShort(found)).toEqual(['bad db3 AckerUnrecorded']);
    expect(found[0]?.explains).toContain('db3 acknowledges writes of db1 and is not on record');
    expect(inShort(findings({ db1: primary({ attached: [2, 3, 99], clients: 3 }) }))).toEqual([
      'bad db1 AckerUnrecorded',
    ]);
  });

  it.each<[string, Partial<SemiSyncStatus>, string]>([
    ['a timeout that somebody set by hand', { timeoutMs: '10000' }, 'it stops waiting after 10000 ms'],
    ['semi-sync that somebody switched off', { primaryEnabled: false, primaryActive: false }, 'switched off'],
  ])('differ by %s, and it is named', (_what, changes, explains) => {
    const [found] = findings({ db1: primary(changes) });
    expect(found).toMatchObject({ code: 'NotLossless', severity: 'bad', host: 'db1' });
    expect(found?.explains).toContain(explains);
  });

  it('differ when the primary waits though async is recorded', () => {
    expect(inShort(findings({ db1: primary({}) }, ASYNC))).toEqual(['warn db1 RunsAsync', 'warn db1 WaitsUnrecorded']);
    expect(inShort(findings({ db1: primary({ primaryEnabled: false, primaryActive: false }) }, ASYNC))).toEqual([
      'warn db1 RunsAsync',
    ]);
  });
});

describe('a server_id that is not the one of the inventory', () => {
  it('is a warning, of a primary too, and names the remedy', () => {
    const db1 = { server: answers(serverStatus({ serverId: 101 })) };
    const found = findings({ db1, db3: { server: answers(replicaStatus(DB3, { serverId: 103 })) } });
    expect(inShort(found)).toEqual(['warn db1 ServerIdDiffers', 'warn db3 ServerIdDiffers']);
    expect(found[0]?.remedy).toContain('put serverId: 101 for db1 into the inventory');
  });
});

describe('a replica that is refused', () => {
  const refusals = [{ host: 'db3', address: '10.77.0.3', epoch: 9 }];
  const idle = { ...replicaStatus(DB3).semiSync, replicaEnabled: false, replicaActive: false };
  const db3 = { server: answers(replicaStatus(DB3, { semiSync: idle })) };
  const db1 = (enforcesRefusals: boolean): Partial<HostObservation> => ({
    ...primary({ attached: [2], clients: 1 }),
    helper: helper({ holdsVip: true, refusals, enforcesRefusals }),
  });

  it('is a warning with the way back', () => {
    const [found, ...others] = findings({ db1: db1(true), db3 }, ALONE);
    expect(found).toMatchObject({ code: 'ReplicaRefused', severity: 'warn', host: 'db3' });
    expect(found?.remedy).toContain('standfast acker add shop db3');
    expect(others).toEqual([]);
  });

  it('is bad when the firewall of the primary does not enforce it', () => {
    expect(inShort(findings({ db1: db1(false), db3 }, ALONE))).toEqual([
      'bad db1 RefusalNotEnforced',
      'warn db3 ReplicaRefused',
    ]);
  });
});
