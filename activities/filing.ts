import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { FileCounts, Fileset, FilesRefusal, SetAside, TargetSync } from '../domain/filesets.ts';
import { explainFolder, judgeRsync, planSync } from '../domain/filesets.ts';
import { namesIn } from '../domain/rsync-names.ts';
import type { Activities, FilesErrand, FilesPlan } from './contract.ts';
import { primaryOf } from './electing.ts';
import { ensureHelper } from './equipping.ts';
import type { RsyncStatus } from './fileset-run.ts';
import { FilesetRun } from './fileset-run.ts';
import { observe } from './observing.ts';

/** Of a list that is part of a result. */
const MOST_NAMES = 200;
/** Runs when files vanish from the source while they are being sent, as on a busy folder. */
const MOST_ROUNDS = 3;
const ORDER_MS = 15_000;
const NOTHING: FileCounts = { created: 0, updated: 0, touched: 0, deleted: 0, bytes: 0 };

async function plan(cluster: ClusterPorts, fileset: string | null): Promise<FilesPlan> {
  const { filesets, description } = cluster;
  const names = filesets.map(({ name }) => name);
  if (fileset !== null && !names.includes(fileset)) throw unknownFileset(cluster, fileset);
  if (names.length === 0)
    throw badInput(cluster, `${description.cluster} has no files in the inventory, so there is nothing to synchronise`);
  const source = primaryOf(cluster, await observe(cluster));
  return {
    source,
    targets: description.hosts.map(({ name }) => name).filter((name) => name !== source),
    filesets: fileset === null ? names : [fileset],
  };
}

const badInput = ({ description }: ClusterPorts, message: string): AdapterFailure =>
  new AdapterFailure({ type: 'BadInput', host: description.cluster, message, facts: { changed: false } });

const unknownFileset = (cluster: ClusterPorts, name: string): AdapterFailure => {
  const known = cluster.filesets.map((one) => one.name).join(', ') || 'none';
  return badInput(
    cluster,
    `${name} is no fileset of ${cluster.description.cluster} (it has ${known}); nothing was changed`,
  );
};

function filesetOf(cluster: ClusterPorts, name: string): Fileset {
  const found = cluster.filesets.find((one) => one.name === name);
  if (found === undefined) throw unknownFileset(cluster, name);
  return found;
}

interface Work {
  readonly run: FilesetRun;
  readonly fileset: Fileset;
  readonly errand: FilesErrand;
}

async function begin(cluster: ClusterPorts, errand: FilesErrand): Promise<Work> {
  const fileset = filesetOf(cluster, errand.fileset);
  for (const host of [errand.source, errand.target]) await ensureHelper(cluster, host);
  const run = new FilesetRun(cluster, fileset, errand);
  const faults = await run.faults();
  const { cluster: name, fileset: named } = errand;
  const place = { cluster: name, fileset: named, path: fileset.path };
  const [first] = faults.map((fault) => explainFolder({ ...fault, ...place }));
  if (first !== undefined) throw refusal(errand.target, first);
  return { run, fileset, errand };
}

const refusal = (host: HostName, { code, message }: FilesRefusal, facts: object = {}): AdapterFailure =>
  new AdapterFailure({ type: 'Unsafe', host, message, facts: { code, changed: false, ...facts } });

async function compare(cluster: ClusterPorts, errand: FilesErrand): Promise<TargetSync> {
  const work = await begin(cluster, errand);
  const { run } = work;
  return run.whileOpen({ diff: true }, async () => {
    const counted = await run.rsync('look');
    requireWell(counted, work, { changed: false });
    const { counts } = counted;
    const changes = namesIn(await run.list({ of: 'list', kind: 'changes', most: MOST_NAMES }));
    const deletions = namesIn(await run.list({ of: 'list', kind: 'deletions', most: MOST_NAMES }));
    const isInStep = changes.length + deletions.length === 0;
    const outcome = isInStep ? 'in-step' : 'differs';
    return { host: errand.target, outcome, counts, changes, deletions, setAside: null, warnings: [] };
  });
}

async function synchronise(cluster: ClusterPorts, errand: FilesErrand): Promise<TargetSync> {
  const work = await begin(cluster, errand);
  const { run } = work;
  const resumed = await run.resume();
  if (resumed !== null) return told(work, resumed);
  return run.whileOpen({ diff: false }, async () => {
    let last = await round(work);
    for (let rounds = 1; rounds < MOST_ROUNDS && last.warnings.length > 0; rounds += 1) {
      const { setAside } = last;
      // Into the same folder rsync would put its own earlier version over what only the target had.
      if (!run.isSettled) await run.reopen();
      last = await round(work);
      last = { ...last, setAside: together(setAside, last.setAside) };
    }
    return last;
  });
}

/** Both of one run, each in the folder of its round. */
function together(one: SetAside | null, other: SetAside | null): SetAside | null {
  if (one === null || other === null) return one ?? other;
  const names = [...one.names, ...other.names].slice(0, MOST_NAMES);
  const folder = `${one.folder} and ${other.folder}`;
  return { folder, names, count: one.count + other.count, replaced: one.replaced + other.replaced };
}

async function round(work: Work): Promise<TargetSync> {
  const { run, errand, fileset } = work;
  const { target } = errand;
  // Where nothing goes, nothing has to be counted first.
  const counts = run.isSettled ? await counted(work) : NOTHING;
  const planned = planSync(counts, { settled: run.isSettled, target, fileset });
  if (planned.kind === 'refused') {
    const names = namesIn(await run.list({ of: 'list', kind: 'deletions', most: MOST_NAMES }));
    throw refusal(target, planned, { deletions: counts.deleted, names });
  }
  if (planned.kind === 'nothing')
    return { host: target, outcome: 'in-step', counts, changes: [], deletions: [], setAside: null, warnings: [] };
  return told(work, await run.rsync(planned.deletes));
}

async function counted(work: Work): Promise<FileCounts> {
  const dry = await work.run.rsync('count');
  requireWell(dry, work, { changed: false });
  return dry.counts;
}

/** The result of a run that changed something. */
async function told(work: Work, pushed: RsyncStatus): Promise<TargetSync> {
  requireWell(pushed, work, { changed: true });
  const { run, errand, fileset } = work;
  const { counts, stamp } = pushed;
  const deletions = namesIn(await run.list({ of: 'sent', kind: 'deletions', most: MOST_NAMES }));
  const { created, updated, touched, deleted } = counts;
  const end = judgeRsync(pushed.exit);
  const isAside = pushed.deletes === 'aside' && deleted + updated > 0;
  return {
    host: errand.target,
    outcome: created + updated + touched + deleted === 0 ? 'in-step' : 'synced',
    counts,
    changes: [],
    deletions: isAside ? [] : deletions,
    setAside: isAside
      ? { folder: `${fileset.path}.standfast-aside/${stamp}`, count: deleted, names: deletions, replaced: updated }
      : null,
    warnings: end.kind === 'again' ? [`${end.explains}: ${pushed.log.trim().slice(-600)}`] : [],
  };
}

/** Files that vanish are no reason to stop. @throws AdapterFailure when rsync did not do all of it */
function requireWell(
  status: RsyncStatus,
  { errand: { cluster, target, source, fileset }, fileset: { path } }: Work,
  facts: { readonly changed: boolean },
): void {
  const [, fault] = /^fault:(\w+)$/.exec(status.exit) ?? [];
  if (fault !== undefined) {
    const place = { host: source, fault, at: status.log.trim(), cluster, fileset, path };
    throw refusal(source, explainFolder(place), facts);
  }
  const end = judgeRsync(status.exit);
  if (end.kind === 'well' || end.kind === 'again') return;
  const lines = status.log.trim().split('\n').slice(-20);
  throw new AdapterFailure({
    type: end.kind === 'cut' ? 'Unreachable' : 'Unsafe',
    host: target,
    message: `${fileset} from ${source} to ${target}: ${end.explains}: ${lines.join(' | ')}`,
    facts: { ...facts, code: end.code, lines },
  });
}

export const filingActivities = (
  ports: Ports,
): Pick<Activities, 'planFiles' | 'diffFileset' | 'syncFileset' | 'logFiles'> => ({
  planFiles: async ({ cluster, fileset }) => plan(await ports.cluster(cluster), fileset),
  diffFileset: async (input) => compare(await ports.cluster(input.cluster), input),
  syncFileset: async (input) => synchronise(await ports.cluster(input.cluster), input),
  logFiles: async ({ cluster, source, line }) => {
    const managed = await ports.cluster(cluster);
    await managed.helper(source).request('files-log', { owner: managed.owner, line }, { timeoutMs: ORDER_MS });
  },
});
