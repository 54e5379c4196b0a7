// Builds dist/: TypeScript, the files beside it (shell parts and the like), and the workflow bundle.
// Nothing changed since the last good build: it ends at once and says nothing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const SOURCE_FOLDERS = JSON.parse(fs.readFileSync('tsconfig.build.json', 'utf8')).include;
// Whatever the bundle is made of: the arrows of the architecture allow workflows to import no other folder at run time.
const BUNDLED_FOLDERS = ['workflows', 'domain'];
const SETTINGS = ['tsconfig.base.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/build.mjs'];
const STAMP = '.cache/build.json';
const BUNDLE = 'dist/workflow-bundle.js';

function filesUnder(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    if (!fs.existsSync(file)) continue;
    const { mtimeMs, size, mode } = fs.statSync(file);
    hash.update(`${file}\0${mtimeMs}\0${size}\0${mode}\n`);
  }
  return hash.digest('hex');
}

function fingerprints() {
  return {
    sources: fingerprint([...SETTINGS, ...SOURCE_FOLDERS.flatMap(filesUnder)]),
    bundle: fingerprint([...SETTINGS, ...BUNDLED_FOLDERS.flatMap(filesUnder)]),
  };
}

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(STAMP, 'utf8'));
  } catch {
    return {}; // the first build, or a stamp cut short by a kill: build again
  }
}

const hasWorkflows = () => fs.existsSync('workflows/index.ts');
const bundleIsFresh = (stamp, now) => !hasWorkflows() || (stamp.bundle === now.bundle && fs.existsSync(BUNDLE));
const isFresh = (stamp, now) => stamp.sources === now.sources && fs.existsSync('dist') && bundleIsFresh(stamp, now);

function compile() {
  // An incremental compiler believes its notes; without the output they are about nothing.
  if (!fs.existsSync('dist')) fs.rmSync('.cache/build.tsbuildinfo', { force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' }).status === 0;
}

function copyOtherFiles() {
  for (const file of SOURCE_FOLDERS.flatMap(filesUnder)) {
    if (/\.(ts|md)$/.test(file)) continue;
    const target = path.join('dist', file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(file, target);
    fs.chmodSync(target, fs.statSync(file).mode);
  }
}

function removeOrphans() {
  for (const file of filesUnder('dist')) {
    const source = path.relative('dist', file);
    const typescript = source.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (file !== BUNDLE && !fs.existsSync(source) && !fs.existsSync(typescript)) fs.rmSync(file);
  }
}

function markExecutable() {
  for (const file of Object.values(JSON.parse(fs.readFileSync('package.json', 'utf8')).bin)) {
    if (fs.existsSync(file)) fs.chmodSync(file, 0o755);
  }
}

/** Whether the bundle is there; a fault in a workflow is printed, and must not hide what the compiler says. */
async function bundleWorkflows() {
  try {
    const { bundleWorkflowCode } = await import('@temporalio/worker');
    const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.error, error: console.error };
    const { code } = await bundleWorkflowCode({ workflowsPath: path.join(root, 'workflows/index.ts'), logger: quiet });
    fs.mkdirSync('dist', { recursive: true });
    fs.writeFileSync(`${BUNDLE}.new`, code);
    fs.renameSync(`${BUNDLE}.new`, BUNDLE);
    return true;
  } catch (error) {
    console.error(error);
    return false;
  }
}

async function build() {
  const stamp = readStamp();
  const now = fingerprints();
  if (isFresh(stamp, now)) return 0;
  const started = performance.now();
  const compiled = (stamp.sources === now.sources && fs.existsSync('dist')) || compile();
  copyOtherFiles();
  removeOrphans();
  markExecutable();
  const bundled = bundleIsFresh(stamp, now) || (await bundleWorkflows());
  fs.writeFileSync(
    STAMP,
    JSON.stringify({ ...(compiled && { sources: now.sources }), ...(bundled && { bundle: now.bundle }) }),
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!compiled) console.error('build: the compiler found faults (above); dist/ holds what it could make');
  if (!bundled) console.error('build: the workflow bundle could not be made (above); worker start needs it');
  if (compiled && bundled) console.error(`built dist/ in ${seconds} s`);
  return compiled && bundled ? 0 : 1;
}

if (process.argv.includes('--locked')) {
  process.exitCode = await build();
} else if (!isFresh(readStamp(), fingerprints())) {
  fs.mkdirSync('.cache', { recursive: true });
  const self = [process.execPath, fileURLToPath(import.meta.url), '--locked'];
  // Two builds at once would mix their output: the second waits, and then finds nothing to do.
  process.exitCode = spawnSync('flock', ['.cache/build.lock', ...self], { stdio: 'inherit' }).status ?? 1;
}
