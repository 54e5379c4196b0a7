import { optionsFrom, UsageError, wholeNumber } from '../lab/options.ts';
import { Lab } from '../lab/lab.ts';
import { benchDetect } from './detect.ts';
import { benchLag } from './lag.ts';
import type { BenchOptions } from './failover.ts';
import { benchFailover } from './failover.ts';
import { FAULTS } from './faults.ts';
import type { Measured } from './figures.ts';
import { asTable } from './figures.ts';
import { benchProvision } from './provision.ts';
import { benchVip } from './vip.ts';
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
};
/** Where thirty would take hours. */
const ROUNDS: Readonly<Record<string, number>> = { provision: 3 };
const USAGE = `usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds N] [--megabytes M] [--lab NAME] [--json]`;
const USAGE_ERROR = 2;

async function main([name = '', ...argv]: readonly string[]): Promise<number> {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (bench === undefined) throw new UsageError(name === '' ? 'which one?' : `there is no benchmark ${name}`);
  const { rounds, lab, megabytes, json } = optionsFrom(argv, {
    rounds: { type: 'string', default: String(ROUNDS[name] ?? 30) },
    lab: { type: 'string', default: 'bench' },
    megabytes: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  });
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const options = {
    name,
    rounds: wholeNumber('rounds', rounds, 1),
    lab,
    megabytes: wholeNumber('megabytes', megabytes, 1),
    tell,
  };
  try {
    const measured = await bench(options);
    process.stdout.write(`${asTable(measured)}\n`);
    if (json) process.stdout.write(`${JSON.stringify(measured)}\n`);
    return measured.invalid === null ? 0 : 1;
  } finally {
    await Lab.remove(lab);
  }
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
