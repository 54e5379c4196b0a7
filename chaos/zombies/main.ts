import { optionsFrom, pattern, wholeNumber } from '../../lab/options.ts';
import { Report } from '../report.ts';
import { Theatre } from '../theatre.ts';
import { planAttempts } from './attempts.ts';
import type { Attempt } from './attempts.ts';
import { haunt } from './haunting.ts';

/** Zombies: workers that are frozen in every activity that changes something, and thaw when another one has finished. */
export default async function zombies(argv: readonly string[]): Promise<number> {
  const values = optionsFrom(argv, {
    json: { type: 'boolean', default: false },
    attempts: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    name: { type: 'string', default: 'zombies' },
  });
  const [count, seed] = [wholeNumber('attempts', values.attempts, 1), wholeNumber('seed', values.seed)];
  const only = pattern('only', values.only);
  const attempts = planAttempts(count, seed).filter((one) => only.test(one.id));
  const report = new Report(values.out, `zombies-${values.seed}`);
  const ahead = attempts.filter((one) => !report.hasPassed(one.id));
  if (ahead.length > 0)
    await Theatre.within(values.name, async (theatre) => {
      for (const attempt of ahead) await tryOnce(theatre, attempt, report);
    });
  const passed = attempts.filter((one) => report.hasPassed(one.id)).length;
  process.stderr.write(`${String(passed)} of ${String(attempts.length)} zombies had no effect\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ attempts: attempts.length, passed, seed })}\n`);
  return attempts.length > 0 && passed === attempts.length ? 0 : 1;
}

async function tryOnce(theatre: Theatre, attempt: Attempt, report: Report): Promise<void> {
  const { scenario, incident, heard } = haunt(attempt);
  const { reached, broken, ending, seconds } = await theatre.play(scenario, [incident]);
  const missing = reached.includes(attempt.point) ? [] : [`${attempt.point} was never reached`];
  const at = new Date().toISOString();
  report.add({ cell: attempt.id, broken: [...missing, ...broken], ending, evidence: heard(), seconds, at });
}
