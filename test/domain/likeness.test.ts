import { describe, expect, it } from 'vitest';
import type { ServerSettings } from '../../domain/likeness.ts';
import { judgeDeclaredId, judgeLikeness, judgeServerId } from '../../domain/likeness.ts';
import { DB1 } from './shop.ts';

const wanted: ServerSettings = { version: '10.11.14-MariaDB-0+deb12u2', lowerCaseTableNames: 0, timeZone: 'UTC' };
const judge = (changes: Partial<ServerSettings>, of: Partial<ServerSettings> = {}) =>
  judgeLikeness({ target: 'db2', primary: 'db1', found: { ...wanted, ...changes }, wanted: { ...wanted, ...of } });

describe('a server that is to follow another, and to be followed by it', () => {
  it('is welcome when nothing that matters differs', () => {
    expect(judge({})).toEqual([]);
    expect(judge({ version: '10.11.6-MariaDB' })).toEqual([]);
  });

  it.each([
    ['an older series', { version: '10.6.18-MariaDB' }, 'version', /MariaDB 10\.6 on db2 .*MariaDB 10\.11 on db1/],
    ['a newer series', { version: '11.4.2-MariaDB' }, 'version', /MariaDB 11\.4 on db2/],
    ['another kind', { version: '8.0.40' }, 'version', /MySQL 8\.0 on db2/],
    ['names without case', { lowerCaseTableNames: 1 }, 'setting:lower_case_table_names', /would be 1 on db2 and is 0/],
    ['another zone', { timeZone: 'Europe/Oslo' }, 'setting:time_zone', /Europe\/Oslo on db2 and is UTC on db1/],
  ])('is barred by %s, with the reason and the remedy', (_, changes, code, sentence) => {
    const obstacles = judge(changes);
    expect(obstacles.map((one) => one.code)).toEqual([code]);
    expect(obstacles[0]?.explains).toMatch(sentence);
    expect(obstacles[0]?.remedy).toContain('db2');
  });

  it('names everything at once', () => {
    expect(judge({ version: '10.6.1-MariaDB', lowerCaseTableNames: 1, timeZone: '+02:00' })).toHaveLength(3);
  });

  it.each(['UTC', 'Etc/UTC', '+00:00', 'Zulu'])('takes %s for the same zone as UTC', (timeZone) => {
    expect(judge({ timeZone }, { timeZone: 'Etc/UTC' })).toEqual([]);
  });
});

describe('the server_id of a new replica', () => {
  const others = [
    { host: 'db1', serverId: 7 },
    { host: 'db2', serverId: 2 },
  ];

  it('may be its own declared one', () => {
    expect(judgeServerId({ host: 'db2', serverId: 2 }, others)).toEqual([]);
  });

  it('is barred when another server has it, who is named', () => {
    const [obstacle] = judgeServerId({ host: 'db2', serverId: 7 }, others);
    expect(obstacle).toMatchObject({ code: 'setting:server_id' });
    expect(obstacle?.explains).toContain('server_id 7 of db2 is that of db1 as well');
  });
});

describe('the server_id of a server that runs', () => {
  it('is the one of the inventory', () => {
    expect(judgeDeclaredId(DB1, 1)).toEqual([]);
  });

  it('names both numbers and what to write when it is another', () => {
    const [obstacle] = judgeDeclaredId(DB1, 101);
    expect(obstacle?.explains).toContain('db1 runs with server_id 101, and the inventory says 1');
    expect(obstacle?.remedy).toContain('put serverId: 101 for db1 into the inventory');
  });
});
