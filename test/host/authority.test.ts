import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../activities/authority.ts';
import { claimEpoch } from '../../activities/claiming.ts';
import { Members } from './members.ts';

let members: Members;
beforeAll(async () => {
  members = await Members.start(['db1', 'db2', 'db3', 'w1']);
});
afterAll(() => members.stop());
beforeEach(() => {
  members.forgetAll();
});

type Claim = Omit<Parameters<typeof claimEpoch>[1], 'include' | 'run' | 'claimant'> & { readonly run?: string };
const claimant = { name: '1.1', requireOurs: () => Promise.resolve() };
const THREE = ['db1', 'db2', 'db3'];
const TWO = ['db1', 'db2'];
const PAIR_AND_WITNESS = ['db1', 'db2', 'w1'];

let runs = 0;
const claim = (names: readonly string[], input: Claim = {}): Promise<Authority> => {
  runs += 1;
  return claimEpoch(members.ports(names), { claimant, include: [], run: `run-${String(runs)}`, ...input });
};
const adopt = async (names: readonly string[]): Promise<boolean> => (await claim(names)).recordPrimary('db1');
const off = (name: string) => () => {
  members.silence(name);
  return Promise.resolve([name]);
};
const unsafe = (message: RegExp) => ({ type: 'Unsafe', message: expect.stringMatching(message) });

describe('a new cluster', () => {
  it('needs all of its members once: nobody else could say whether something was recorded', async () => {
    members.silence('db3');
    await expect(claim(THREE)).rejects.toMatchObject(unsafe(/2 remember nothing; bring back db3/));
    members.hear('db3');
    await adopt(THREE);
    for (const name of THREE) expect(members.record(name, 'primary')).toMatch(/ db1 .* 2:1:0-1-7$/);
    members.silence('db3');
    expect((await claim(THREE)).members).toEqual(['db1', 'db2']);
  });
});

describe('of two hosts', () => {
  it('one decides when the primary is proven off, and the primary that returns alone does not', async () => {
    await adopt(TWO);
    members.silence('db1');
    const authority = await claim(TWO, { primary: 'db1', proveOff: off('db1') });
    expect(authority.provenOff).toEqual(['db1']);
    await authority.recordPrimary('db2');
    await expect(authority.order('db1', 'keep-relay')).rejects.toMatchObject({ type: 'Stale' });
    members.reboot('db1');
    members.silence('db2');
    await expect(claim(TWO, { proveOff: off('db2') })).rejects.toMatchObject(
      unsafe(/may have been replaced.*bring back db2, or, .*as root on db1: standfast-host vouch/),
    );
    expect(members.record('db1', 'primary')).toMatch(/ db1 led /);
    members.hear('db2');
    await claim(TWO, { primary: 'db2' });
    expect(members.record('db1', 'primary')).toBe(members.record('db2', 'primary').replace(' led ', ' - '));
    members.silence('db2');
    members.reboot('db1');
    expect((await claim(TWO, { primary: 'db2', proveOff: off('db2') })).members).toEqual(['db1']);
  });

  it('none is switched off for a claim that could not decide anyway', async () => {
    await adopt(TWO);
    members.reboot('db1');
    members.silence('db2');
    let asked = false;
    const proveOff = () => {
      asked = true;
      return Promise.resolve(['db2']);
    };
    await expect(claim(TWO, { proveOff })).rejects.toMatchObject({ type: 'Unsafe' });
    expect(asked).toBe(false);
  });
});

describe('of three members', () => {
  it('one does not decide with a host that is off: another one could do the same', async () => {
    await adopt(THREE);
    members.silence('db1', 'db3');
    await expect(claim(THREE, { proveOff: off('db1') })).rejects.toMatchObject(unsafe(/1 of 3 members answered/));
  });

  it('two decide after a power cut of all, without the primary', async () => {
    await adopt(THREE);
    for (const name of THREE) members.reboot(name);
    members.silence('db1');
    expect((await claim(THREE, { primary: 'db1' })).members).toEqual(['db2', 'db3']);
  });

  it('two do not decide when one of them is a primary that was off: the third may have replaced it', async () => {
    await adopt(THREE);
    members.reboot('db1');
    members.silence('db3');
    await expect(claim(THREE)).rejects.toMatchObject(unsafe(/bring back db3, or, .*on db1: standfast-host vouch/));
    members.on('db1').fields('vouch');
    expect((await claim(THREE)).members).toEqual(['db1', 'db2']);
  });

  it('the one that was away is told what is newest before anything else', async () => {
    await adopt(PAIR_AND_WITNESS);
    members.silence('w1');
    const authority = await claim(PAIR_AND_WITNESS);
    await authority.recordPrimary('db2');
    await authority.recordSync({ mode: 'async', ackers: 'db1', k: '1' });
    members.hear('w1');
    await claim(PAIR_AND_WITNESS);
    for (const what of ['primary', 'sync'] as const)
      expect(members.record('w1', what)).toBe(members.record('db2', what).replace(' led ', ' - '));
    expect(members.record('w1', 'primary')).toMatch(/ 1:1:0-1-7;2:2:0-2-7$/);
  });

  it('one that obeys another control plane is done without, and two are not', async () => {
    await adopt(THREE);
    members.on('db3').fields('hand-over', { owner: 'plane-2' });
    expect((await claim(THREE)).members).toEqual(['db1', 'db2']);
    members.on('db2').fields('hand-over', { owner: 'plane-2' });
    await expect(claim(THREE)).rejects.toMatchObject(unsafe(/db2 obeys the control plane "plane-2", not "plane-1"/));
  });
});

describe('a claim', () => {
  it('is worth nothing when another host is primary by now than the one that it was decided for', async () => {
    await adopt(THREE);
    await (await claim(THREE)).recordPrimary('db2');
    await expect(claim(THREE, { primary: 'db1' })).rejects.toMatchObject({
      type: 'Stale',
      message: expect.stringContaining('db2 is recorded as primary by now, not db1'),
    });
  });

  it('that continues a run is refused when another run has claimed since, and changes nothing', async () => {
    await adopt(THREE);
    await claim(THREE, { run: 'failover' });
    await claim(THREE, { run: 'failover', continues: true });
    await claim(THREE, { run: 'another' });
    const before = THREE.map((name) => members.record(name, 'epoch'));
    await expect(claim(THREE, { run: 'failover', continues: true })).rejects.toMatchObject({
      type: 'Stale',
      message: expect.stringContaining('the run another/1.1 has claimed epoch'),
    });
    expect(THREE.map((name) => members.record(name, 'epoch'))).toEqual(before);
  });
});

describe('a promotion', () => {
  it('is recorded on the promoted host first, and on nobody when that fails', async () => {
    await adopt(THREE);
    const authority = await claim(THREE);
    members.silence('db2');
    await expect(authority.recordPrimary('db2')).rejects.toMatchObject({ type: 'Unreachable' });
    for (const name of THREE) expect(members.record(name, 'primary')).toMatch(/ db1 /);
  });
});
