import type { Guard } from './guard.ts';
import type { TestRun } from './trial.ts';

export interface Verdict {
  /** A test went red without it, by an assertion. */
  readonly isMissed: boolean;
  readonly says: string;
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, 160) ?? '';

/** Green with the guard: only then does red without it say something. Null when it is. */
export function faultOfBaseline(guard: Guard, { passed, failed, trouble }: TestRun): string | null {
  const { title, file } = guard.test;
  const red = failed.find((test) => test.title.includes(title));
  if (red !== undefined) return `the test is red with the guard: ${firstLine(red.why)}`;
  if (passed.some((test) => test.includes(title))) return null;
  return `no test of ${file} has "${title}" in its title ${firstLine(trouble)}`.trimEnd();
}

/** A syntax error, a crash or a timeout is red as well, but proves nothing about the guard. */
export function judgeMutant({ passed, failed, trouble }: TestRun): Verdict {
  const [first] = failed;
  const proof = failed.find(({ why }) => why.startsWith('AssertionError'));
  if (proof !== undefined) return { isMissed: true, says: `red: ${firstLine(proof.why)}` };
  if (first !== undefined) return { isMissed: false, says: `red, but not by an assertion: ${firstLine(first.why)}` };
  if (passed.length > 0) return { isMissed: false, says: 'NOT HELD: every test is green without it' };
  return { isMissed: false, says: `no test ran: ${firstLine(trouble)}` };
}
