import { describe, expect, it } from 'vitest';
import type { ServerStatus } from '../../domain/observation.ts';
import { judgeFitness, judgePlacement, judgePrimarySettings } from '../../domain/preflight.ts';
import { SETTING_RULES } from '../../domain/audit/settings.ts';
import { DB2, foreign, serverStatus, SHOP } from './shop.ts';

const { binlog } = serverStatus();

describe('the settings of a primary', () => {
  it('leave nothing to say when they are right', () => {
    expect(judgePrimarySettings(serverStatus())).toEqual([]);
  });

  const WRONG: readonly (readonly [string, string, Partial<ServerStatus>])[] = [
    ['log_bin', 'OFF', { binlog: { ...binlog, enabled: false } }],
    ['log_slave_updates', 'OFF', { binlog: { ...binlog, logsReplicated: false } }],
    ['binlog_format', 'MIXED', { binlog: { ...binlog, format: 'MIXED' } }],
    ['binlog_format', 'STATEMENT', { binlog: { ...binlog, format: 'STATEMENT' } }],
    ['sync_binlog', '0', { binlog: { ...binlog, sync: 0 } }],
    ['sync_binlog', '100', { binlog: { ...binlog, sync: 100 } }],
    ['innodb_flush_log_at_trx_commit', '2', { flushLogAtCommit: 2 }],
    ['gtid_strict_mode', 'OFF', { gtidStrictMode: false }],
    ['server_id', '0', { serverId: 0 }],
  ];

  it.each(WRONG)('name %s when it is %s, why it matters, and what to write', (setting, found, changes) => {
    const obstacles = judgePrimarySettings(serverStatus(changes));
    expect(obstacles.map((one) => one.code)).toEqual([`setting:${setting}`]);
    expect(obstacles[0]?.explains).toMatch(new RegExp(`^${setting} is ${found}: \\w+`));
    const isDynamic = !['log_bin', 'log_slave_updates', 'server_id'].includes(setting);
    expect(obstacles[0]?.remedy).toMatch(
      new RegExp(
        isDynamic
          ? `^SET GLOBAL ${setting}=\\w+, and put it into its configuration`
          : `^put .*${setting}.* into its configuration and restart it \\(.*planned restart`,
      ),
    );
  });

  it.each(['sync_binlog', 'innodb_flush_log_at_trx_commit', 'binlog_format'])(
    'are mended as the audit says it: %s',
    (setting) => {
      const wrong = serverStatus({ binlog: { ...binlog, format: 'MIXED', sync: 0 }, flushLogAtCommit: 0 });
      const obstacle = judgePrimarySettings(wrong).find(({ code }) => code === `setting:${setting}`);
      const rule = SETTING_RULES.find(({ looksAt }) => looksAt === `\`${setting}\``);
      expect(rule?.fix.replace(' on HOST', '')).toBe(obstacle?.remedy);
    },
  );

  it('are all named at once', () => {
    const all = serverStatus({
      binlog: { enabled: false, format: 'STATEMENT', logsReplicated: false, sync: 0 },
      flushLogAtCommit: 0,
      gtidStrictMode: false,
      serverId: 0,
    });
    expect(judgePrimarySettings(all)).toHaveLength(7);
  });
});

describe('a server that is to come into care, or to count', () => {
  it('has nothing against it when it is as one should be', () => {
    expect(judgeFitness(serverStatus())).toEqual([]);
  });

  it('must have no replication channel but the one of its cluster, stopped or not', () => {
    const [obstacle] = judgeFitness(serverStatus({ otherChannels: [foreign({ receiver: 'stopped' })] }));
    expect(obstacle).toMatchObject({
      code: 'channel',
      explains: expect.stringMatching(/^it has a replication channel that is not the cluster's: "b" from db1/),
      remedy: expect.stringContaining("RESET SLAVE 'NAME' ALL"),
    });
  });

  it('must have logs that others can read', () => {
    const [obstacle] = judgeFitness(serverStatus({ binlog: { ...binlog, encrypted: true } }));
    expect(obstacle).toMatchObject({
      code: 'setting:encrypt_binlog',
      explains: expect.stringMatching(/^encrypt_binlog is ON: .*nobody can read/),
      remedy: 'take encrypt_binlog out of its configuration and restart it',
    });
  });
});

describe('the placement policy', () => {
  it('allows a host in one of its countries', () => {
    expect(judgePlacement(SHOP, DB2)).toEqual([]);
    expect(judgePlacement({ ...SHOP, countries: ['SE', 'NO'] }, DB2)).toEqual([]);
  });

  it('allows every host when no country is declared', () => {
    expect(judgePlacement({ ...SHOP, countries: [] }, { ...DB2, country: 'US' })).toEqual([]);
  });

  it('bars a host elsewhere, naming host, site, country and what is allowed', () => {
    expect(judgePlacement({ ...SHOP, countries: ['NO', 'SE'] }, { ...DB2, site: 'new-york', country: 'US' })).toEqual([
      {
        code: 'placement',
        explains: 'db2 stands in US (site new-york), and policy.placement allows only NO, SE',
        remedy: 'choose a host inside the policy, or change policy.placement with whoever answers for the data',
      },
    ]);
  });
});
