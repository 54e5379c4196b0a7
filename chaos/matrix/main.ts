import { optionsFrom, pattern, UsageError } from '../../lab/options.ts';
import { Report } from '../report.ts';
import { Theatre } from '../theatre.ts';
import { allCells, seatedTogether } from './cells.ts';
import { sit } from './sitting.ts';

interface Options {
  readonly json: boolean;
  readonly list: boolean;
  readonly only: RegExp;
  readonly shard: number;
  readonly shards: number;
  readonly out: string | undefined;
  readonly name: string;
}

function readOptions(argv: readonly string[]): Options {
  const values = optionsFrom(argv, {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    shard: { type: 'string', default: '1/1' },
    out: { type: 'string' },
    name: { type: 'string', default: 'matrix' },
  });
  if (!/^[1-9]\d*\/[1-9]\d*$/.test(values.shard))
    throw new UsageError(`--shard takes I/N such as 1/3, not "${values.shard}"`);
  const [shard = 1, shards = 1] = values.shard.split('/').map(Number);
  return { ...values, out: values.out, only: pattern('only', values.only), shard, shards };
}

/** The crash matrix; `--json` ends with the number of its cells and of those that passed. */
export default async function matrix(argv: readonly string[]): Promise<number> {
  const { json, list, only, shard, shards, out, name } = readOptions(argv);
  const cells = allCells().filter((cell, index) => only.test(cell.id) && index % shards === shard - 1);
  if (list) {
    process.stdout.write(cells.map((cell) => `${cell.id}\n`).join(''));
    return 0;
  }
  const report = new Report(out, 'matrix');
  const sittings = seatedTogether(cells.filter((cell) => !report.hasPassed(cell.id)));
  if (sittings.length > 0)
    await Theatre.within(name, async (theatre) => {
      for (const sitting of sittings) for (const outcome of await sit(theatre, sitting)) report.add(outcome);
    });
  const passed = cells.filter((cell) => report.hasPassed(cell.id)).length;
  process.stderr.write(`${String(passed)} of ${String(cells.length)} cells passed\n`);
  if (json) process.stdout.write(`${JSON.stringify({ cells: cells.length, passed })}\n`);
  return cells.length > 0 && passed === cells.length ? 0 : 1;
}
