import { describe, expect, test } from 'vitest';
import type { HelperFacts, HostFacts, InstalledFacts, ServerFacts } from '../../domain/checkup-host.ts';
import { judgeHost } from '../../domain/checkup-host.ts';
import { DB1 } from './shop.ts';

const installed: InstalledFacts = {
  keepalivedSha256: 'abc',
  wantedKeepalivedSha256: 'abc',
  hasDropin: true,
  dropinFile: '/etc/mysql/zz.cnf',
  bootsClosed: true,
  openedBy: '',
  socketRoot: 'in',
};
const helper: HelperFacts = { version: 'v2', wantedVersion: 'v2', clock: { offsetMs: 3, errorMs: 2 }, installed };
const grant = { account: 'operation', on: '*.*', privilege: 'SUPER', isHeld: true, statement: 'GRANT SUPER' } as const;

const server: ServerFacts = {
  ...{ account: 'standfast', version: '10.11.6-MariaDB-log', grants: [grant] },
  ...{ serverId: 1, declared: DB1 },
};

const host = (change: Partial<HostFacts> = {}): HostFacts => ({
  cluster: 'shop',
  host: 'db1',
  helper: { kind: 'found', facts: helper },
  server: { kind: 'found', facts: server },
  ...change,
});
const withHelper = (change: Partial<HelperFacts>) =>
  host({ helper: { kind: 'found', facts: { ...helper, ...change } } });

const states = (facts: HostFacts) => judgeHost(facts).map(({ code, state }) => `${code} ${state}`);
const bad = (facts: HostFacts) => judgeHost(facts).filter(({ state }) => state === 'bad');
const WAY = ['ssh', 'host-key', 'ssh-login', 'sudo', 'helper'] as const;
const ALL = [
  ...WAY,
  ...['helper-version', 'clock', 'vip', 'boots-closed', 'socket-root', 'sql', 'release', 'server-id', 'grant'],
];

test('a host with everything is green in everything', () => {
  expect(states(host())).toEqual(ALL.map((code) => `${code} ok`));
});

test.each(WAY)('a way that ends at %s is green before it, and nothing after it was asked', (step) => {
  const facts = host({ helper: { kind: 'stopped', step, isOffline: false, says: 'no', fix: 'mend it' } });
  const at = WAY.indexOf(step);
  const expected = ALL.slice(0, 10).map(
    (code, index) => `${code} ${index < at ? 'ok' : index === at ? 'bad' : 'not-asked'}`,
  );
  expect(states(facts)).toEqual([...expected, 'sql ok', 'release ok', 'server-id ok', 'grant ok']);
  expect(bad(facts)).toMatchObject([{ code: step, says: 'no', fix: 'mend it' }]);
});

test('what is missing on this side leaves everything of the host unasked, and nothing is called green that was not seen', () => {
  const facts = host({
    helper: { kind: 'stopped', step: 'host-key', isOffline: true, says: 'none is pinned', fix: 'pin' },
  });
  expect(states(facts).slice(0, 3)).toEqual(['ssh not-asked', 'host-key bad', 'ssh-login not-asked']);
});

test('a witness needs no server and no VIP', () => {
  expect(states(host({ server: null }))).toEqual([...WAY, 'helper-version', 'clock'].map((code) => `${code} ok`));
});

describe('one fault', () => {
  test.each([
    ['another version', withHelper({ version: 'v1' }), 'helper-version', 'standfast prepare shop PRIMARY'],
    ['a clock that is ahead', withHelper({ clock: { offsetMs: 900, errorMs: 5 } }), 'clock', 'chrony'],
    ['a clock that is behind', withHelper({ clock: { offsetMs: -900, errorMs: 5 } }), 'clock', 'chrony'],
    ['no keepalived', withHelper({ installed: { ...installed, keepalivedSha256: '' } }), 'vip', 'standfast prepare'],
    [
      'a keepalived of its own',
      withHelper({ installed: { ...installed, keepalivedSha256: 'x' } }),
      'vip',
      'standfast prepare',
    ],
    [
      'an open boot',
      withHelper({ installed: { ...installed, hasDropin: false } }),
      'boots-closed',
      'standfast prepare',
    ],
    [
      'a later file that opens it',
      withHelper({ installed: { ...installed, bootsClosed: false, openedBy: '--read_only=0' } }),
      'boots-closed',
      'remove that setting on db1',
    ],
    [
      'a drop-in that is not read',
      withHelper({ installed: { ...installed, bootsClosed: false } }),
      'boots-closed',
      'standfast prepare',
    ],
    [
      'a root with a password alone',
      withHelper({ installed: { ...installed, socketRoot: { denied: 'ERROR 1045' } } }),
      'socket-root',
      'ALTER USER root@localhost IDENTIFIED VIA unix_socket OR',
    ],
    ['no log-in', host({ server: { kind: 'failed', says: 'denied', fix: 'mend access.sql' } }), 'sql', 'access.sql'],
    [
      'another server_id than the inventory says',
      host({ server: { kind: 'found', facts: { ...server, serverId: 101 } } }),
      'server-id',
      'put serverId: 101 for db1 into the inventory',
    ],
    [
      'a missing privilege',
      host({ server: { kind: 'found', facts: { ...server, grants: [{ ...grant, isHeld: false }] } } }),
      'grant',
      'on the primary: GRANT SUPER',
    ],
  ])('%s is the only red line, and says what mends it', (_, facts, code, fix) => {
    expect(bad(facts).map((check) => check.code)).toEqual([code]);
    expect(bad(facts)[0]?.fix).toContain(fix);
  });
});

test.each(['8.0.36', '10.6.18-MariaDB', '10.11.6'])(
  'a server of %s is red, and its privileges are not judged',
  (version) => {
    const facts = host({ server: { kind: 'found', facts: { ...server, version, grants: [] } } });
    expect(bad(facts)).toMatchObject([{ code: 'release', fix: expect.stringContaining('MariaDB 10.11') as string }]);
    expect(states(facts).slice(-4)).toEqual(['sql ok', 'release bad', 'server-id not-asked', 'grant not-asked']);
  },
);

test('a clock that may be right is not called wrong', () => {
  expect(bad(withHelper({ clock: { offsetMs: 900, errorMs: 450 } }))).toEqual([]);
});

test('a VIP that the helper alone holds asks for no keepalived', () => {
  const facts = withHelper({ installed: { ...installed, keepalivedSha256: '', wantedKeepalivedSha256: null } });
  expect(bad(facts)).toEqual([]);
});

test('a boot of which the helper says nothing is not called closed', () => {
  const facts = withHelper({ installed: { ...installed, bootsClosed: null } });
  expect(states(facts).filter((line) => !line.endsWith(' ok'))).toEqual(['boots-closed not-asked']);
});

test('a server that is down is not said to deny root', () => {
  const facts = withHelper({ installed: { ...installed, socketRoot: null } });
  expect(states(facts).filter((line) => !line.endsWith(' ok'))).toEqual(['socket-root not-asked']);
});

test('a helper that is too old to be asked is said to be', () => {
  const facts = withHelper({ version: 'v1', installed: null });
  expect(states(facts).filter((line) => !line.endsWith(' ok'))).toEqual([
    'helper-version bad',
    'vip not-asked',
    'boots-closed not-asked',
    'socket-root not-asked',
  ]);
});
