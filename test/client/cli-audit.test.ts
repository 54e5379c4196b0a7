import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AuditFinding, AuditResult } from '../../domain/audit/report.ts';
import type { StandfastApi } from '../../client/standfast.ts';
import { run } from './cli-world.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'baseline-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = (text: string): string => {
  const name = path.join(folder, 'baseline.yaml');
  writeFileSync(name, text);
  return name;
};

const finding = (changes: Partial<AuditFinding> = {}): AuditFinding => ({
  ...{ code: 'BinlogOff', severity: 'bad', where: 'db1', found: 'log_bin=OFF', expected: 'log_bin=ON' },
  ...{ why: 'nobody can follow', fix: 'switch | it <on>' },
  ...changes,
});
const report = (...findings: readonly AuditFinding[]): AuditResult => ({
  ...{ outcome: findings.length === 0 ? 'clean' : 'findings', cluster: 'shop', at: '2026-11-28T12:00:00.000Z' },
  ...{ sentence: 'shop: 1 finding: 1 bad', findings, judged: 70 },
  links: [
    {
      from: 'db1',
      to: 'db2',
      p50Ms: 25,
      p99Ms: 30,
      samples: 20,
      class: 'low',
      commitsPerSecond: 40,
      lagMs: 12.5,
      busy: null,
    },
  ],
});
const audit = (line: string, result: AuditResult) =>
  run(`audit shop ${line}`, { api: { audit: () => Promise.resolve(result) } as unknown as Partial<StandfastApi> });

describe('standfast audit', () => {
  test('prints the sentence, each finding with its fix, and what the distances cost; exits with 0 unless asked', async () => {
    const { out, exitCode } = await audit('', report(finding()));
    expect(out.split('\n\n')).toEqual([
      'shop: 1 finding: 1 bad',
      'BAD db1 BinlogOff: log_bin=OFF\n  expected: log_bin=ON\n  why: nobody can follow\n  fix: switch | it <on>',
      expect.stringMatching(/db1 → db2 +25\.00 ms +30\.00 ms +low +≤ 40 +\?/),
      '70 rules were judged, one for each place',
    ]);
    expect(exitCode).toBe(0);
  });

  test.each([
    ['bad', 10],
    ['warn', 10],
    ['info', 0],
  ] as const)('with --exit-code and a finding that is %s exits with %i', async (severity, exitCode) => {
    expect(await audit('--exit-code', report(finding({ severity })))).toMatchObject({ exitCode });
  });

  test('-o json has everything, -o md a page whose cells hold', async () => {
    const { out } = await audit('-o json', report(finding()));
    expect(JSON.parse(out)).toMatchObject({ schema: 'standfast/v1', kind: 'Audit', outcome: 'findings', accepted: [] });
    const page = (await audit('-o md', report(finding()))).out;
    expect(page).toContain('# Audit of shop, 2026-11-28T12:00:00.000Z');
    expect(page).toContain(
      String.raw`| db1 | ${'`BinlogOff`'} | log_bin=OFF | log_bin=ON | nobody can follow | switch \| it \<on\> |`,
    );
    expect(page).toContain('| db1 → db2 | 25.00 ms | 30.00 ms | low | ≤ 40 | ? |');
  });

  test('no other command has -o md', async () => {
    const { exitCode, err } = await run('verify shop -o md');
    expect(exitCode).toBe(2);
    expect(err).toContain('verify has no output md');
  });

  test('a baseline takes findings out, and names them with their reason', async () => {
    const name = file('- { code: BinlogOff, where: db1, reason: being rebuilt, expires: 2026-12-31 }\n');
    const { out, exitCode } = await audit(`--exit-code --baseline ${name}`, report(finding()));
    expect(exitCode).toBe(0);
    expect(out).toContain('shop: nothing to mend was found (1 accepted by the baseline)');
    expect(out).toContain('  db1 BinlogOff: log_bin=OFF (until 2026-12-31: being rebuilt)');
  });

  test('what is over in a baseline, or accepts nothing, is a finding', async () => {
    const name = file(
      JSON.stringify([
        { code: 'BinlogOff', where: 'db1', reason: 'x', expires: '2026-11-27' },
        { code: 'SshRoot', where: 'db2', reason: 'x', expires: '2026-11-28' },
      ]),
    );
    const { out, exitCode } = await audit(`--exit-code -o json --baseline ${name}`, report(finding()));
    expect(exitCode).toBe(10);
    const { findings } = JSON.parse(out) as AuditResult;
    expect(findings.map(({ code, where }) => `${where} ${code}`)).toEqual([
      'db1 BinlogOff',
      'db1 BaselineExpired',
      'db2 BaselineUnmatched',
    ]);
  });

  test.each([
    ['- { code: A, where: b, reason: c, expires: 2026-12-31 }\n- { code: A }', ':2: entry 2: "where" is missing'],
    ['- { code: A, where: b, reason: "", expires: 2026-12-31 }', ':1: entry 1: "reason" is empty'],
    ['\n- { code: A, where: b, reason: c, expires: tomorrow }', ':2: entry 1: "expires" is missing, or no day'],
    ['- { code: A, where: b, reason: c, expires: 2026-12-31, who: me }', ':1: entry 1: it has a key that is none of'],
    ['- just text', ':1: entry 1: it is string'],
    ['code: A', ':1: it is no list'],
    ['- { code: A', ':1: it is not valid YAML'],
  ])('a baseline such as %j is one clear sentence, and nothing is asked', async (text, sentence) => {
    const { exitCode, err } = await run(`audit shop --baseline ${file(text)}`);
    expect(exitCode).toBe(2);
    expect(err).toContain(`baseline.yaml${sentence}`);
    expect(err).toContain('nothing was asked');
  });

  test('a baseline that is not there is a sentence too', async () => {
    const { exitCode, err } = await run('audit shop --baseline /nowhere/baseline.yaml');
    expect([exitCode, err]).toEqual([2, expect.stringContaining('/nowhere/baseline.yaml cannot be read (ENOENT)')]);
  });
});
