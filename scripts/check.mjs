// What every commit must pass. All phases run, two at a time; every failure is shown, and the exit status counts.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
fs.mkdirSync('.cache', { recursive: true });

const FOLDERS = 'domain workflows activities adapters inventory worker client lab demo chaos bin bench test'
  .split(' ')
  .filter((name) => fs.existsSync(name));
// A cached verdict of a rule that looks at types can be out of date; CI looks at everything anew.
const CACHED = process.env.CI ? [] : ['--cache'];
const AT_ONCE = 2;

const tool = (name) => path.join('node_modules/.bin', name);

/** Runs a command to its end; what it printed, on both outputs, and whether it was content. */
function run(command, args, input = '') {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (printed += text));
    child.on('error', (error) => resolve({ ok: false, printed: `${command} cannot be run: ${error.message}\n` }));
    child.on('close', (status) => resolve({ ok: status === 0, printed }));
    child.stdin.on('error', () => undefined); // it ended without reading: its status says why
    child.stdin.end(input);
  });
}

/** Zero modules seen means that nothing was checked. */
async function arrows() {
  const { printed } = await run(tool('depcruise'), [
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    ...FOLDERS,
  ]);
  const { summary } = JSON.parse(printed.slice(printed.indexOf('{')));
  const faults = summary.violations.map(({ from, to, rule }) => {
    const { comment } = summary.ruleSetUsed.forbidden.find((known) => known.name === rule.name);
    return `${from} imports ${to}: ${rule.name}${comment ? ` (${comment})` : ''}\n`;
  });
  if (summary.totalCruised === 0) faults.push('no module was seen: the configuration looks in the wrong place\n');
  return { ok: faults.length === 0, printed: faults.join('') };
}

function shellFiles() {
  const candidates = ['.ci/run', ...['scripts', 'lab', 'test', 'adapters/host'].flatMap(filesUnder)];
  return candidates.filter((file) => {
    if (file.startsWith('adapters/host/parts/')) return false;
    const [first = ''] = fs.readFileSync(file, 'utf8').split('\n', 1);
    return /^#!.*\b(ba|da)?sh\b/.test(first) || file.endsWith('.sh');
  });
}

const filesUnder = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

/** The parts of the host helper make sense only as the one script that is installed. */
async function shell() {
  const parts = filesUnder('adapters/host/parts').sort();
  const whole = parts.map((file) => fs.readFileSync(file, 'utf8')).join('');
  const results = await Promise.all([
    run('shellcheck', ['-x', ...shellFiles()]),
    run('shellcheck', ['--shell=bash', '-'], whole),
  ]);
  return { ok: results.every(({ ok }) => ok), printed: results.map(({ printed }) => printed).join('') };
}

const PHASES = [
  ['lint', () => run(tool('eslint'), ['.', ...CACHED, '--cache-location', '.cache/eslint/'])],
  ['types', () => run(tool('tsc'), ['-p', 'tsconfig.json'])],
  [
    'format',
    () =>
      run(tool('prettier'), ['--check', '--log-level', 'warn', ...CACHED, '--cache-location', '.cache/prettier', '.']),
  ],
  ['arrows', arrows],
  ['unused', () => run(tool('knip'), ['--no-config-hints'])],
  ['shell', shell],
  ['bundle', () => run(process.execPath, ['scripts/build.mjs'])],
  ['unit tests', () => run(tool('vitest'), ['run', '--config', 'test/vitest.config.ts', '--project', 'unit'])],
];

async function runPhase([name, start]) {
  const started = performance.now();
  const { ok, printed } = await start().catch((error) => ({ ok: false, printed: `${error.stack}\n` }));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${seconds.padStart(6)} s`);
  return { name, ok, printed };
}

async function main() {
  const waiting = [...PHASES];
  const results = [];
  const lane = async () => {
    for (let phase = waiting.shift(); phase; phase = waiting.shift()) results.push(await runPhase(phase));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const failed = results.filter(({ ok }) => !ok);
  for (const { name, printed } of failed) console.log(`\n--- ${name} ---\n${printed.trimEnd()}`);
  console.log(failed.length === 0 ? '\nall passed' : `\nfailed: ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
