import { describe, expect, test } from 'vitest';
import { runCampaign } from '../../chaos/campaigns.ts';

async function run(...argv: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const told = { out: '', err: '' };
  const status = await runCampaign(argv, {
    out: (text) => (told.out += text),
    err: (text) => (told.err += text),
  });
  return { status, ...told };
}

describe('the command line of the campaigns', () => {
  test.each([
    ['rounds', ['--unknown'], "Unknown option '--unknown'"],
    ['matrix', ['--unknown'], "Unknown option '--unknown'"],
    ['blips', ['--unknown'], "Unknown option '--unknown'"],
    ['blips', ['--rounds', '0'], '--rounds takes a whole number from 1 up'],
    ['blips', ['--only', 'x'], '--only takes a whole number'],
    ['zombies', ['--unknown'], "Unknown option '--unknown'"],
    ['guards', ['--unknown'], "Unknown option '--unknown'"],
    ['rounds', ['--seed'], "'--seed <value>' argument missing"],
    ['rounds', ['--rounds', '-3'], "Option '--rounds' argument is ambiguous"],
    ['rounds', ['extra'], "Unexpected argument 'extra'"],
    ['rounds', ['--rounds', 'many'], '--rounds takes a whole number'],
    ['rounds', ['--seed', ''], '--seed takes a whole number'],
    ['rounds', ['--mode', 'fast'], '--mode takes lossless, async or both, not "fast"'],
    ['matrix', ['--shard', '3'], '--shard takes I/N'],
    ['matrix', ['--only', '['], '--only takes a regular expression, not "["'],
    ['zombies', ['--attempts', '0'], '--attempts takes a whole number from 1 up'],
    ['zombies', ['--only', '('], '--only takes a regular expression'],
  ])('says in one line what is wrong with %s %j, and the usage', async (name, argv, what) => {
    const { status, out, err } = await run(name, ...argv);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(what);
    expect(err).toContain(`Usage: npm run chaos -- ${name} [`);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('tells what there is when no campaign, or none that exists, is named', async () => {
    for (const argv of [[], ['toString']]) {
      const { status, out, err } = await run(...argv);
      expect(status).toBe(2);
      expect(out).toBe('');
      for (const name of ['rounds', 'matrix', 'zombies', 'blips', 'guards']) expect(err).toContain(`\n  ${name} [`);
    }
  });

  test('helps who asks for it', async () => {
    expect(await run('--help')).toMatchObject({ status: 0, err: '' });
    const { status, out } = await run('zombies', '--help');
    expect(status).toBe(0);
    expect(out).toMatch(/^npm run chaos -- zombies \[/);
    expect(out).not.toContain('matrix');
  });
});
