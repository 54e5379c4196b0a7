import { optionsFrom } from '../../lab/options.ts';
import type { Guard } from './guard.ts';
import { GUARDS } from './table.ts';
import type { TestRun } from './trial.ts';
import { Copy, sourceTree } from './trial.ts';
import type { Verdict } from './verdict.ts';
import { faultOfBaseline, judgeMutant } from './verdict.ts';

const LANES = 2;

/** Switches every guard off, one at a time, and wants the test that is named with it to go red. */
export async function guards(argv: readonly string[]): Promise<number> {
  const values = optionsFrom(argv, { json: { type: 'boolean', default: false }, only: { type: 'string' } });
  const chosen = GUARDS.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0) {
    process.stderr.write(
      `there is no guard "${values.only ?? ''}"; there are:\n${GUARDS.map(({ name }) => `  ${name}\n`).join('')}`,
    );
    return 2;
  }
  if (process.getuid?.() !== 0 && chosen.some(({ test }) => test.file.startsWith('test/host/'))) {
    process.stderr.write('the guards of the host helper are tested on throw-away hosts, which takes root\n');
    return 2;
  }
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      ended.abort(signal);
    });
  const missed = await tryAll(chosen, ended.signal);
  if (ended.signal.aborted) {
    process.stderr.write(`the campaign was ended by ${String(ended.signal.reason)}; what it printed so far stands\n`);
    return 130;
  }
  const summary = values.json
    ? JSON.stringify({ guards: chosen.length, missed })
    : `${String(missed)} of ${String(chosen.length)} guards are missed by a test when they are off`;
  process.stdout.write(`${summary}\n`);
  return missed === chosen.length ? 0 : 1;
}

/** @returns how many guards were missed */
async function tryAll(chosen: readonly Guard[], ended: AbortSignal): Promise<number> {
  const tree = await sourceTree();
  const waiting = byTest(chosen);
  const lane = async (): Promise<number> => {
    let missed = 0;
    const copy = await Copy.of(tree);
    ended.addEventListener('abort', () => {
      waiting.length = 0;
      copy.stop();
    });
    try {
      for (let held = waiting.shift(); held !== undefined; held = waiting.shift()) missed += await tryTest(copy, held);
    } finally {
      await copy.remove();
    }
    return missed;
  };
  const counts = await Promise.all(Array.from({ length: LANES }, lane));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Guards that one test holds are tried one after the other, after one look at the test with all of them in place. The slow ones first. */
function byTest(chosen: readonly Guard[]): (readonly Guard[])[] {
  const keyOf = ({ test }: Guard): string => `${test.file} ${test.title}`;
  const groups = [...new Set(chosen.map(keyOf))].map((key) => chosen.filter((guard) => keyOf(guard) === key));
  const isSlow = ([guard]: readonly Guard[]): boolean => guard?.test.file.startsWith('test/host/') === true;
  return groups.sort((left, right) => Number(isSlow(right)) - Number(isSlow(left)));
}

async function tryTest(copy: Copy, held: readonly Guard[]): Promise<number> {
  const [first] = held;
  if (first === undefined) return 0;
  const baseline = await copy.run(first.test);
  let missed = 0;
  for (const guard of held) {
    const started = performance.now();
    const { isMissed, says } = await tryGuard(copy, guard, baseline);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `${isMissed ? 'ok    ' : 'FAILED'} ${guard.name} (${guard.file}, ${seconds} s)\n       ${says}\n`,
    );
    if (isMissed) missed += 1;
  }
  return missed;
}

async function tryGuard(copy: Copy, guard: Guard, baseline: TestRun): Promise<Verdict> {
  const fault = faultOfBaseline(guard, baseline);
  if (fault !== null) return { isMissed: false, says: fault };
  return copy.without(guard, async () => judgeMutant(await copy.run(guard.test)));
}
