import { parseArgs } from 'node:util';
import { Lab } from '../lab/lab.ts';
import { benchFailover } from './failover.ts';
import { FAULTS } from './faults.ts';
import { asTable } from './figures.ts';

const NAMES = Object.keys(FAULTS) as (keyof typeof FAULTS)[];
const USAGE = `usage: npm run bench -- ${NAMES.join('|')} [--rounds N] [--lab NAME] [--json]`;
const USAGE_ERROR = 2;

async function main(argv: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '30' },
      lab: { type: 'string', default: 'bench' },
      json: { type: 'boolean', default: false },
    },
  });
  const name = NAMES.find((one) => one === positionals[0]);
  const rounds = Number(values.rounds);
  if (name === undefined || positionals.length !== 1 || !Number.isSafeInteger(rounds) || rounds < 1) {
    process.stderr.write(`${USAGE}\n`);
    return USAGE_ERROR;
  }
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    const measured = await benchFailover(FAULTS[name], { name, rounds, lab: values.lab, tell });
    process.stdout.write(`${asTable(measured)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(measured)}\n`);
    return measured.invalid === null ? 0 : 1;
  } finally {
    await Lab.remove(values.lab);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
// Connections to a lab that is gone must not hold the process.
process.exit();
