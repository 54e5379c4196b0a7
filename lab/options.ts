import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';

/** A command line that cannot be followed; the message names the option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError on an option that is not known, or has no value, or one too many */
export function optionsFrom<O extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: O,
): ReturnType<typeof parseArgs<{ args: string[]; options: O }>>['values'] {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    if (!(error instanceof TypeError) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS_'))
      throw error;
    // What follows is advice about how to write positional arguments, and no campaign has any.
    throw new UsageError(error.message.split(/\.[ \n]/)[0] ?? '', { cause: error });
  }
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string, least = 0): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`--${option} takes a whole number from ${String(least)} up, not "${text}"`);
  return value;
}

/** @throws UsageError */
export function pattern(option: string, text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--${option} takes a regular expression, not "${text}"`, { cause: error });
  }
}
