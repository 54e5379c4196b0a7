import { Lab } from '../lab/lab.ts';
import { optionsFrom, UsageError, wholeNumber } from '../lab/options.ts';
import { benchDetect } from './detect.ts';
import { benchFiles } from './files.ts';
import { benchLag } from './lag.ts';
import type { BenchOptions } from './failover.ts';
import { benchFailover } from './failover.ts';
import { FAULTS } from './faults.ts';
import type { Measured } from './figures.ts';
import { asTable } from './figures.ts';
import { benchProvision } from './provision.ts';
import { benchVip } from './vip.ts';
import { asFleetTable } from './fleet/figures.ts';
import { benchFleet } from './fleet/fleet.ts';
import { MOST_CLUSTERS } from './fleet/members.ts';
import { benchWorkerKill } from './worker-kill.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Measured>>> = {
  ...Object.fromEntries(
    Object.entries(FAULTS).map(([name, fault]) => [name, (options: BenchOptions) => benchFailover(fault, options)]),
  ),
  'worker-kill': benchWorkerKill,
  detect: benchDetect,
  lag: benchLag,
  vip: benchVip,
  provision: benchProvision,
  files: benchFiles,
};
/** Where thirty would take hours. */
const ROUNDS: Readonly<Record<string, number>> = { provision: 3, files: 3 };
const USAGE = `usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds N] [--megabytes M] [--lab NAME] [--json]
       npm run bench -- fleet [--clusters N] [--seconds S] [--json]`;
const USAGE_ERROR = 2;

const JSON_OPTION = { type: 'boolean', default: false } as const;
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

interface Outcome {
  readonly measured: { readonly invalid: string | null };
  readonly table: string;
  readonly json: boolean;
}

async function inLab(name: string, argv: readonly string[]): Promise<Outcome> {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (bench === undefined) throw new UsageError(name === '' ? 'which one?' : `there is no benchmark ${name}`);
  const { rounds, lab, megabytes, json } = optionsFrom(argv, {
    rounds: { type: 'string', default: String(ROUNDS[name] ?? 30) },
    lab: { type: 'string', default: 'bench' },
    megabytes: { type: 'string', default: '300' },
    json: JSON_OPTION,
  });
  const options = {
    name,
    rounds: wholeNumber('rounds', rounds, 1),
    lab,
    megabytes: wholeNumber('megabytes', megabytes, 1),
    tell,
  };
  try {
    const measured = await bench(options);
    return { measured, table: asTable(measured), json };
  } finally {
    await Lab.remove(lab);
  }
}

async function ofFleet(argv: readonly string[]): Promise<Outcome> {
  const { clusters, seconds, json } = optionsFrom(argv, {
    clusters: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    json: JSON_OPTION,
  });
  const size = wholeNumber('clusters', clusters, 1);
  if (size > MOST_CLUSTERS) throw new UsageError(`--clusters is at most ${String(MOST_CLUSTERS)}`);
  const measured = await benchFleet({ clusters: size, seconds: wholeNumber('seconds', seconds, 1), tell });
  return { measured, table: asFleetTable(measured), json };
}

async function main([name = '', ...argv]: readonly string[]): Promise<number> {
  const { measured, table, json } = await (name === 'fleet' ? ofFleet(argv) : inLab(name, argv));
  process.stdout.write(`${table}\n`);
  if (json) process.stdout.write(`${JSON.stringify(measured)}\n`);
  return measured.invalid === null ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(isUsage ? `${error.message}. ${USAGE}\n` : `${text}\n`);
  process.exitCode = isUsage ? USAGE_ERROR : 1;
}
// Connections to a lab that is gone must not hold the process.
process.exit();
