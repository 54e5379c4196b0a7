import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { Ledger } from '../lab/ledger/ledger.ts';
import { loadShop } from '../lab/shop.ts';
import { renderTimeline, renderTopology, renderVerdict } from './print.ts';
import { playRounds } from './rounds.ts';
import { CLUSTER, clearStage, setStage } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Act } from './story.ts';
import { brokenPromises, playFailover } from './story.ts';

interface Options {
  readonly json: boolean;
  readonly keep: boolean;
  readonly megabytes: number;
  readonly seed: number;
  readonly rounds: number;
}

const USAGE = `npm run demo -- [--json] [--keep] [--megabytes 300] [--seed 1] [--rounds N]
  --keep       leave everything running and print the address of the Temporal UI
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
  await client.ensureVerifySchedule(CLUSTER);
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

async function main(): Promise<boolean> {
  const options = readOptions(process.argv.slice(2));
  const stage = await setStage('demo', tell);
  let kept = false;
  try {
    const ledger = await buildCluster(stage, options);
    if (options.rounds > 0) {
      await ledger.stop();
      return await playRounds(stage, { ...options, tell });
    }
    const act = await playFailover(stage, ledger, { death: 'mysqld', workerDelayMs: 0, tell });
    const held = printAct(act, options);
    if (options.keep) {
      kept = true;
      tell(`left running. Temporal UI: ${stage.temporal.uiAddress}  TEMPORAL_ADDRESS=${stage.temporal.address}`);
      tell(`hosts: npm run lab -- --name demo status; end it with npm run lab -- --name demo down`);
      await stage.client.close();
    }
    return held;
  } finally {
    if (!kept) await clearStage(stage);
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(
    `${error instanceof TypeError ? `${error.message}\n${USAGE}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
