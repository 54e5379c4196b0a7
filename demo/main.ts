import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { wantedSchedules } from '../client/index.ts';
import { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { loadShop } from '../lab/shop.ts';
import { removeOnInterrupt } from './interrupt.ts';
import { renderTimeline, renderTopology, renderVerdict } from './print.ts';
import { playRounds } from './rounds.ts';
import { CLUSTER, setStage } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Act } from './story.ts';
import { brokenPromises, playFailover } from './story.ts';

interface Options {
  readonly json: boolean;
  readonly keep: boolean;
  readonly megabytes: number;
  readonly seed: number;
  readonly rounds: number;
  readonly name: string;
}

const USAGE = `npm run demo -- [--json] [--keep] [--megabytes 300] [--seed 1] [--rounds N] [--name demo]
  --keep       leave everything running and print the address of the Temporal UI
  --name       of the lab, for several at once
  --rounds N   after the set-up, N failovers from the same saved state instead of one`;

function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      megabytes: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '0' },
      name: { type: 'string', default: 'demo' },
    },
  });
  const count = (name: 'megabytes' | 'seed' | 'rounds'): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new TypeError(`--${name} takes a whole number, not ${values[name]}`);
    return value;
  };
  return {
    json: values.json,
    keep: values.keep,
    megabytes: count('megabytes'),
    seed: count('seed'),
    rounds: count('rounds'),
    name: values.name,
  };
}

const started = performance.now();
const tell = (line: string): void => {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${pc.dim(`${seconds} s`)}  ${line}\n`);
};

/** A plain primary with a filled shop becomes a cluster of three while it is being written to. */
async function buildCluster(stage: Stage, options: Options): Promise<Ledger> {
  const { client, lab } = stage;
  const size = await loadShop(lab.host('db1'), { sizeMb: options.megabytes, seed: options.seed });
  tell(`shop database loaded on db1: ${String(size.rows)} rows, ${String(Math.round(size.bytes / 1e6))} MB`);
  tell((await client.preparePrimary({ cluster: CLUSTER, host: 'db1' })).sentence);
  const ledger = Ledger.start(lab, { vipWriters: 2 });
  await ledger.acknowledged(20);
  tell('writers through the VIP, and to every address and socket, with a ledger');
  for (const host of ['db2', 'db3']) {
    const { sentence, bytes } = await client.provisionReplica({ cluster: CLUSTER, host });
    tell(`${sentence} (${String(Math.round(bytes / 1e6))} MB copied)`);
  }
  await client.verify({ cluster: CLUSTER });
  const wanted = wantedSchedules({ clusters: [{ name: CLUSTER, files: [] }] }).filter(({ kind }) => kind === 'verify');
  await client.schedules.apply(await client.schedules.plan({ wanted }));
  tell('verified; a schedule verifies it every minute from now on');
  return ledger;
}

function printAct(act: Act, options: Options): boolean {
  const broken = brokenPromises(act);
  const out = [
    renderTopology('Before', act.before),
    ...(act.failover.verdict === null ? [] : [renderTopology('After', act.failover.verdict)]),
    renderTimeline(act),
    renderVerdict(act),
    broken.length === 0 ? pc.green('Every promise held.') : pc.red(`Broken: ${broken.join('; ')}`),
  ].join('\n\n');
  (options.json ? process.stderr : process.stdout).write(`\n${out}\n`);
  if (options.json) {
    const { ledger, comparison } = act;
    const summary = {
      acknowledged: ledger.acknowledged,
      lost: ledger.lost.length,
      duplicated: ledger.duplicated.length,
      twoWriters: ledger.twoWriters.length,
      writeOutageMs: ledger.writeOutageMs === undefined ? null : Math.round(ledger.writeOutageMs),
      workerKilled: true,
      converged: comparison.differing.length === 0 && broken.length === 0,
    };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
  return broken.length === 0;
}

async function play(stage: Stage, options: Options): Promise<boolean> {
  const ledger = await buildCluster(stage, options);
  if (options.rounds > 0) {
    await ledger.stop();
    return playRounds(stage, { ...options, tell });
  }
  return printAct(await playFailover(stage, ledger, { death: 'mysqld', workerDelayMs: 0, tell }), options);
}

async function main(): Promise<boolean> {
  const options = readOptions(process.argv.slice(2));
  const dismiss = removeOnInterrupt(options.name, tell);
  let kept = false;
  try {
    const stage = await setStage(options.name, tell);
    try {
      const held = await play(stage, options);
      kept = options.keep;
      if (kept) tellWhatStays(stage, options);
      return held;
    } finally {
      await stage.client.close();
    }
  } finally {
    if (!kept) await Lab.remove(options.name);
    dismiss();
  }
}

function tellWhatStays({ temporal }: Stage, { name }: Options): void {
  tell(`left running. Temporal UI: ${temporal.uiAddress}  TEMPORAL_ADDRESS=${temporal.address}`);
  tell(`hosts: npm run lab -- --name ${name} status; end it with npm run lab -- --name ${name} down`);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(
    `${error instanceof TypeError ? `${error.message}\n${USAGE}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
