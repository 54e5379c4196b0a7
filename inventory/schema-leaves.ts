import * as z from 'zod';
import { DURATION_PATTERN } from './duration.ts';

// The message of each says what is *expected*; faults.ts adds what was found, and where.

export const text = (expected: string, pattern: RegExp): z.ZodString => z.string(expected).regex(pattern, expected);

export const whole = (range: { from: number; to: number }): z.ZodNumber => {
  const expected = `a whole number from ${String(range.from)} to ${String(range.to)}`;
  return z.int(expected).min(range.from, expected).max(range.to, expected);
};

const NAME_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;
const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `${OCTET}(\\.${OCTET}){3}`;

export const name = text(
  'a name of small letters, digits and hyphens that starts with a letter (at most 63)',
  NAME_PATTERN,
);
export const ipv4 = text(
  'an IPv4 address such as 10.0.0.1 (a name would make a failover wait for DNS)',
  new RegExp(`^${IPV4}$`),
);
export const vipAddress = text(
  'an IPv4 address with its prefix, such as 192.168.10.50/24',
  new RegExp(`^${IPV4}/([1-9]|[12]\\d|3[0-2])$`),
);
export const account = text(
  'an account name of letters, digits, ".", "_" and "-" (at most 64)',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
);
export const absolutePath = text('an absolute path', /^\/[^\0\n]*$/);
export const country = text('a country by its two capital letters (ISO 3166), such as NO', /^[A-Z]{2}$/);
export const duration = text('a duration with its unit (ms, s, m, h, d), such as 500ms, 10s or 5m', DURATION_PATTERN);
export const secret = text(
  'a reference to a secret: env:NAME, file:/path, credential:NAME or exec:/path/of/command arguments (never the secret itself)',
  /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+|credential:[A-Za-z0-9._-]+|exec:\/.+)$/,
);
export const port = whole({ from: 1, to: 65535 });
export const command = z
  .array(z.string('text (put numbers in quotes)'), 'a list: the absolute path of a command, then its arguments')
  .min(1, 'a list: the absolute path of a command, then its arguments');
