import path from 'node:path';
import { Lab } from '../../lab/lab.ts';
import { projectFolder } from '../../lab/state.ts';
import { optionsFrom, UsageError, wholeNumber } from '../../lab/options.ts';
import { Journal } from './journal.ts';
import { keepEvidence } from './keep.ts';
import type { Mode, RoundName } from './plan.ts';
import { composeRound, describeFault } from './plan.ts';
import type { Round } from './round.ts';
import { playRound } from './round.ts';
import type { Stage } from './stage.ts';
import { setStage, strikeStage } from './stage.ts';
import { describeRound, summarise } from './summary.ts';

interface Options {
  readonly rounds: readonly RoundName[];
  readonly json: boolean;
  /** Plays rounds that the journal has already. */
  readonly isReplay: boolean;
  readonly isPlan: boolean;
  readonly isWatched: boolean;
  readonly out: string;
  readonly name: string;
}

const OPTIONS = {
  rounds: { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  mode: { type: 'string', default: 'lossless' },
  from: { type: 'string', default: '1' },
  only: { type: 'string' },
  json: { type: 'boolean', default: false },
  plan: { type: 'boolean', default: false },
  watched: { type: 'boolean', default: false },
  out: { type: 'string' },
  name: { type: 'string', default: 'chaos-rounds' },
} as const;

function readOptions(argv: readonly string[]): Options {
  const values = optionsFrom(argv, OPTIONS);
  const whole = (name: 'rounds' | 'seed' | 'from' | 'only'): number => wholeNumber(name, values[name] ?? '');
  const first = values.only === undefined ? whole('from') : whole('only');
  const last = values.only === undefined ? whole('rounds') : first;
  const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  return {
    rounds: numbers.map((round) => ({ round, seed: whole('seed'), mode: modeOf(values.mode, round) })),
    ...{ json: values.json, isReplay: values.only !== undefined, isPlan: values.plan, isWatched: values.watched },
    ...{ out: path.resolve(values.out ?? journalOf(values.watched)), name: values.name },
  };
}

/** One round is not the same with a watcher and without. */
const journalOf = (isWatched: boolean): string =>
  path.join(projectFolder, '.cache', isWatched ? 'chaos-rounds-watched' : 'chaos-rounds');

/** `both` plays them in turn. */
function modeOf(mode: string, round: number): Mode {
  if (mode === 'lossless' || mode === 'async') return mode;
  if (mode !== 'both') throw new UsageError(`--mode takes lossless, async or both, not "${mode}"`);
  return round % 2 === 0 ? 'async' : 'lossless';
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

export async function rounds(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options.isPlan) return showPlans(options.rounds);
  const journal = new Journal(options.out);
  const open = options.rounds.filter((name) => options.isReplay || journal.roundOf(name) === undefined);
  if (open.length < options.rounds.length)
    tell(`${String(options.rounds.length - open.length)} rounds are in ${journal.folder} already`);
  if (open.length > 0) await playAll(open, { ...options, journal });
  const played = options.rounds.flatMap((name) => journal.roundOf(name) ?? []);
  const summary = summarise(played);
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : `${JSON.stringify(summary, null, 2)}\n`);
  return summary.violations === 0 ? 0 : 1;
}

function showPlans(names: readonly RoundName[]): number {
  for (const name of names) {
    const { mode, seed, round, faults, settings, failoverAtMs, isAnswered, afterwards } = composeRound(name);
    const line = `${mode} ${String(seed)}/${String(round)} fence ${settings.fence?.join(', ') ?? ''}; failover at ${String(failoverAtMs)} ms${isAnswered ? ', a person answers' : ''}${afterwards.map((one) => `, ${one}`).join('')}`;
    process.stdout.write(`${line}\n${faults.map((fault) => `    ${describeFault(fault)}\n`).join('')}`);
  }
  return 0;
}

async function playAll(
  names: readonly RoundName[],
  { journal, name, json, isWatched }: Pick<Options, 'name' | 'json' | 'isWatched'> & { readonly journal: Journal },
): Promise<void> {
  const modes = [...new Set(names.map(({ mode }) => mode))];
  const stage = await setStage(name, { modes, isWatched, tell });
  try {
    for (const next of names) {
      const round = await playOne(stage, next, journal);
      journal.add(round);
      (json ? process.stderr : process.stdout).write(`${describeRound(round)}\n`);
    }
  } finally {
    await strikeStage(stage).catch(async (error: unknown) => {
      await Lab.remove(name);
      throw error;
    });
  }
}

async function playOne(stage: Stage, name: RoundName, journal: Journal): Promise<Round> {
  const since = new Date();
  const { round, ledger } = await playRound(stage, composeRound(name));
  if (round.violations.length > 0) {
    const folder = journal.folderOf(name);
    await keepEvidence(stage, { round, ledger, since, folder });
    tell(`evidence in ${folder}`);
  }
  return round;
}
