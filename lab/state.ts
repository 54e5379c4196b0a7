import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readIfThere, type ProcessMark } from './processes.ts';
import { LabError } from './run.ts';

/** Which of a lab's namespaces talk to whom; `to` does not hear `from`. */
export interface Cut {
  readonly from: string;
  readonly to: string;
  /** Of a hundred packets so many are lost, drawn one by one; all of them unless given. */
  readonly percent?: number;
}

/** What a lab has made, as far as it is not found by name; enough to attach to it and to remove it. */
export interface LabState {
  readonly name: string;
  readonly folder: string;
  /** What is mounted at FOLDER/storage, where the hosts' disks live. */
  readonly storage: 'disk' | 'memory';
  readonly hosts: readonly string[];
  /** Saved layers under the running hosts, newest first. */
  readonly layers: readonly string[];
  readonly saved: Readonly<Record<string, readonly string[]>>;
  readonly cuts: readonly Cut[];
  readonly linksDown: readonly string[];
  /** Processes outside the hosts: port forwarders, a Temporal server. */
  readonly processes: readonly ProcessMark[];
  readonly temporal?: { readonly port: number; readonly uiPort: number; readonly process: ProcessMark };
}

const registry = '/run/standfast-lab';

/** The project's folder, from the sources (lab/) as well as from the build (dist/lab/). */
export const projectFolder = findProject(path.dirname(fileURLToPath(import.meta.url)));

function findProject(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder)
    throw new LabError('the lab runs from a checkout of the project: its package.json was not found');
  return findProject(parent);
}

export function defaultFolder(name: string): string {
  return path.join(projectFolder, '.lab', name);
}

export function writeState(state: LabState): void {
  writeWhole(path.join(state.folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
  mkdirSync(registry, { recursive: true });
  writeWhole(path.join(registry, state.name), `${state.folder}\n`);
}

/** Written beside and renamed: a lab killed half-way leaves the old state or the new one. */
function writeWhole(file: string, content: string): void {
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, file);
}

export function readState(folder: string): LabState | undefined {
  const text = readIfThere(path.join(folder, 'state.json'));
  return text === undefined ? undefined : (JSON.parse(text) as LabState);
}

export function registeredFolder(name: string): string | undefined {
  return readIfThere(path.join(registry, name))?.trim();
}

export function forget(name: string): void {
  rmSync(path.join(registry, name), { force: true });
}
