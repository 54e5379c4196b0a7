import { Lab } from '../../lab/lab.ts';
import { optionsFrom, wholeNumber } from '../../lab/options.ts';
import { Report } from '../report.ts';
import { setStage } from '../stage.ts';
import { composeBlip, describeBlip } from './plan.ts';
import { playAll } from './playing.ts';
import { controlCell, describeSummary, summarise } from './summary.ts';

/** Blips, after none of which a failover may have been started; `--json` ends with how many were. */
export async function blips(argv: readonly string[]): Promise<number> {
  const values = optionsFrom(argv, {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    plan: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    name: { type: 'string', default: 'blips' },
  });
  const [count, seed] = [wholeNumber('rounds', values.rounds, 1), wholeNumber('seed', values.seed)];
  const rounds =
    values.only === undefined
      ? Array.from({ length: count }, (_, index) => index + 1)
      : [wholeNumber('only', values.only, 1)];
  const wanted = rounds.map((round) => composeBlip({ seed, round }));
  if (values.plan) {
    process.stdout.write(wanted.map((blip) => `${describeBlip(blip)}\n`).join(''));
    return 0;
  }
  const report = new Report(values.out, `blips-${String(seed)}`);
  const isReplay = values.only !== undefined;
  const ahead = wanted.filter((blip) => isReplay || !report.hasPassed(describeBlip(blip)));
  if (ahead.length > 0 || !report.hasPassed(controlCell(seed))) {
    try {
      await playAll(await setStage(values.name), { blips: ahead, seed, report });
    } finally {
      await Lab.remove(values.name);
    }
  }
  const summary = summarise(report, { seed, blips: wanted });
  process.stdout.write(`${describeSummary(summary)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.violations.length === 0 && report.hasPassed(controlCell(seed)) ? 0 : 1;
}
