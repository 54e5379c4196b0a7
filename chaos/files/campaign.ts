import { declareUploads, inUploads, makeUploads, UPLOADS } from '../../lab/filesets.ts';
import { Lab } from '../../lab/lab.ts';
import { optionsFrom, wholeNumber } from '../../lab/options.ts';
import { Report } from '../report.ts';
import type { Stage } from '../stage.ts';
import { restore, setStage } from '../stage.ts';
import { MOUNT } from './faults.ts';
import type { FilesRound } from './plan.ts';
import { composeFilesRound, describeFilesRound } from './plan.ts';
import { FilesStage, HOSTS } from './round.ts';

/** Destructive configurations, moments and kills, after none of which a file may be lost. */
export async function files(argv: readonly string[]): Promise<number> {
  const values = optionsFrom(argv, {
    rounds: { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    plan: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    name: { type: 'string', default: 'files' },
  });
  const [count, seed] = [wholeNumber('rounds', values.rounds, 1), wholeNumber('seed', values.seed)];
  const numbers =
    values.only === undefined
      ? Array.from({ length: count }, (_, index) => index + 1)
      : [wholeNumber('only', values.only, 1)];
  const rounds = numbers.map((round) => composeFilesRound({ seed, round }));
  if (values.plan) {
    process.stdout.write(rounds.map((round) => `${describeFilesRound(round)}\n`).join(''));
    return 0;
  }
  const report = new Report(values.out, `files-${String(seed)}`);
  const ahead = rounds.filter((round) => values.only !== undefined || !report.hasPassed(describeFilesRound(round)));
  if (ahead.length > 0) await playAll(values.name, ahead, report);
  const passed = rounds.filter((round) => report.hasPassed(describeFilesRound(round))).length;
  process.stdout.write(`${String(passed)} of ${String(rounds.length)} rounds lost no file and converged\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ name: 'files', rounds: rounds.length, passed, seed })}\n`);
  return passed === rounds.length ? 0 : 1;
}

/** A folder with files, as a mount point, in step on every host. */
export async function prepareFiles({ lab, client }: Pick<Stage, 'lab' | 'client'>): Promise<void> {
  declareUploads(lab, ', bandwidthKiBps: 4000');
  await makeUploads(lab);
  for (const host of HOSTS)
    await inUploads(lab, host, `cd /; rm -rf /srv/disk /srv/held; mv ${UPLOADS} /srv/disk; ${MOUNT}`);
  await client.syncFiles({ cluster: 'shop', fileset: 'uploads' });
}

async function playAll(name: string, rounds: readonly FilesRound[], report: Report): Promise<void> {
  try {
    const stage = await setStage(name);
    await restore(stage, 'cluster');
    const playing = await FilesStage.open(stage);
    await prepareFiles(stage);
    for (const round of rounds) {
      const started = performance.now();
      const { broken, ending } = await playing.play(round);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const cell = describeFilesRound(round);
      report.add({ cell, broken, ending, evidence: ending.slice(0, 120), seconds, at: new Date().toISOString() });
    }
    await stage.client.close();
  } finally {
    await Lab.remove(name);
  }
}
