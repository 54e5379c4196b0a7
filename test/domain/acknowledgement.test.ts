import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attachment } from '../../domain/acknowledgement.ts';
import { faultsOfWaiting, judgeAttachment } from '../../domain/acknowledgement.ts';
import type { HostName } from '../../domain/cluster.ts';
import type { ServerStatus } from '../../domain/observation.ts';
import { ACKNOWLEDGING, channel, DB1, DB2, DB3, replicaStatus, serverStatus, SHOP, WAITING } from './shop.ts';

const IDLE = { ...ACKNOWLEDGING, replicaEnabled: false, replicaActive: false };

describe('a primary that waits for every write, for ever', () => {
  it('has no faults', () => {
    expect(faultsOfWaiting(WAITING)).toEqual([]);
  });

  it.each([
    [{ primaryEnabled: false, primaryActive: false }, 'semi-sync is switched off on it'],
    [{ primaryActive: false }, 'it has fallen back to asynchronous replication'],
    [{ waitPoint: 'AFTER_COMMIT' }, 'it waits at AFTER_COMMIT instead of AFTER_SYNC'],
    [{ waitsWithoutReplica: false }, 'it stops waiting when no replica is connected (wait_no_slave is off)'],
    [{ timeoutMs: '1000000000' }, 'it stops waiting after 1000000000 ms'],
    [{ timeoutMs: '' }, 'it stops waiting after an unknown number of ms'],
  ])('with %o: %s', (changes, fault) => {
    expect(faultsOfWaiting({ ...WAITING, ...changes })).toEqual([fault]);
  });

  it('is told of every fault at once', () => {
    expect(faultsOfWaiting({ ...WAITING, waitPoint: '', waitsWithoutReplica: false })).toHaveLength(2);
  });
});

describe('who is connected', () => {
  interface Scene {
    readonly attached: readonly number[] | undefined;
    readonly clients: number;
    readonly ackers: readonly HostName[];
    readonly db2?: Partial<ServerStatus> | null;
    readonly db3?: Partial<ServerStatus> | null;
  }
  const judge = ({ attached, clients, ackers, db2 = {}, db3 = {} }: Scene): Attachment | null =>
    judgeAttachment({
      hosts: SHOP.hosts,
      statuses: new Map([
        ['db1', serverStatus({ semiSync: { ...WAITING, clients, ...(attached !== undefined && { attached }) } })],
        ...(db2 === null ? [] : [['db2', replicaStatus(DB2, db2)] as const]),
        ...(db3 === null ? [] : [['db3', replicaStatus(DB3, db3)] as const]),
      ]),
      primary: 'db1',
      ackers,
    });
  const both = { attached: [2, 3], clients: 2, ackers: ['db2', 'db3'] };

  it('is each replica by name, in a healthy cluster', () => {
    expect(judge(both)).toEqual({ acknowledging: ['db2', 'db3'], detached: [], unrecorded: [] });
  });

  it('is not known from a server that does not say', () => {
    expect(judge({ ...both, attached: undefined })).toBeNull();
    expect(judgeAttachment({ hosts: SHOP.hosts, statuses: new Map(), primary: 'db1', ackers: ['db2'] })).toBeNull();
  });

  it('is not a recorded replica that only says so itself: another may be the client that is counted', () => {
    expect(judge({ ...both, attached: [3], clients: 1 })).toMatchObject({ acknowledging: ['db3'], detached: ['db2'] });
  });

  it('is not an acker while it does not acknowledge, or follows somebody else', () => {
    expect(judge({ ...both, clients: 1, db3: { semiSync: IDLE } })?.acknowledging).toEqual(['db2']);
    const elsewhere = { replication: channel({ source: 'db3' }) };
    expect(judge({ ...both, clients: 1, db2: elsewhere })?.acknowledging).toEqual(['db3']);
  });

  it('is connected, but not known to acknowledge, when it does not answer here', () => {
    expect(judge({ ...both, db3: null })).toEqual({ acknowledging: ['db2'], detached: [], unrecorded: [] });
  });

  it('is found out by name when it is not on record', () => {
    expect(judge({ ...both, ackers: ['db2'] })?.unrecorded).toEqual(['db3']);
  });

  it('is nobody unrecorded when a replica off the record replicates without acknowledging', () => {
    expect(judge({ ...both, clients: 1, ackers: ['db2'], db3: { semiSync: IDLE } })?.unrecorded).toEqual([]);
  });

  it('is somebody unrecorded when there are more clients than recorded ackers to be them', () => {
    expect(judge({ ...both, ackers: ['db2'], db3: null })?.unrecorded).toEqual(['one of the servers with ID 3']);
    expect(judge({ ...both, attached: [2, 3, 99], clients: 3 })?.unrecorded).toEqual(['one of the servers with ID 99']);
    expect(judge({ ...both, clients: 3 })?.unrecorded).toEqual(['a client that did not register']);
  });

  it('goes by the ID that a server has, not by the one that the inventory gives it', () => {
    expect(judge({ ...both, attached: [3, 4711], db2: { serverId: 4711 } })?.acknowledging).toEqual(['db2', 'db3']);
    expect(judge({ ...both, attached: [2, 3], db2: { serverId: 4711 } })?.detached).toEqual(['db2']);
  });

  it('never counts an acknowledging replica off the record as covered, whoever is on it', () => {
    const names = ['db2', 'db3'];
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), fc.subarray(names), (ackers, connected, acknowledging) => {
        const acks = connected.filter((host) => acknowledging.includes(host));
        const result = judge({
          attached: connected.map((host) => (host === 'db2' ? DB2 : DB3).serverId),
          clients: acks.length,
          ackers,
          db2: { semiSync: acks.includes('db2') ? ACKNOWLEDGING : IDLE },
          db3: { semiSync: acks.includes('db3') ? ACKNOWLEDGING : IDLE },
        });
        expect(result?.unrecorded).toEqual(acks.filter((host) => !ackers.includes(host)));
        expect(result?.acknowledging).toEqual(acks.filter((host) => ackers.includes(host)));
        expect(result?.detached).toEqual(ackers.filter((host) => !connected.includes(host)));
        expect(result?.acknowledging).not.toContain(DB1.name);
      }),
    );
  });
});
