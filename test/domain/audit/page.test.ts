import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Rule } from '../../../domain/audit/rule.ts';
import { RULE_GROUPS } from '../../../domain/audit/rule.ts';
import { RULES } from '../../../domain/audit/rules.ts';

const page = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');
const row = ({ code, severity, looksAt, why, fix }: Rule): string =>
  `| \`${code}\` | ${severity} | ${looksAt} | ${why} | ${fix.replaceAll('|', '\\|')} |`;

describe('the page of rules', () => {
  test.each(RULE_GROUPS)('has exactly the rules of the table, in its order: %s', (group) => {
    const [, section = ''] = page.split(`\n### ${group}\n`);
    const [table = ''] = section.split(/\n##/);
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(RULES.filter((rule) => rule.group === group).map(row));
  });

  test('explains what no rule of the table finds', () => {
    for (const code of ['NotSeen', 'BaselineExpired', 'BaselineUnmatched'])
      expect(page).toContain(`\n| \`${code}\` | `);
  });
});
