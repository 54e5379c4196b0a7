import { InvalidArgumentError } from 'commander';
import parseDuration from 'parse-duration';

/** A duration with its unit, in milliseconds: `90s`, `5m`, `1h30m`. */
export function durationArgument(text: string): number {
  const milliseconds = /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text) ? parseDuration(text) : null;
  if (milliseconds === null || milliseconds <= 0)
    throw new InvalidArgumentError('It takes a duration with a unit, such as 90s, 5m or 1h30m.');
  return milliseconds;
}
