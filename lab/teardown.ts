import { existsSync, readdirSync, rmSync } from 'node:fs';
import { end, isAlive, mark, type ProcessMark } from './processes.ts';
import { namespaceExists, processesIn, unplug } from './network.ts';
import { must } from './run.ts';
import { forget, readState, registeredFolder } from './state.ts';
import { unmountStorage } from './storage.ts';

/**
 * Removes what a lab of this name has made, and only that: processes by recorded number or because they live in a namespace of the
 * lab's name, the namespaces, its mounts, its folder. Safe on a half-made lab, on none, and twice.
 */
export async function tearDown(name: string, folder: string): Promise<void> {
  const namespaces = namespacesOf(name);
  const folders = [...new Set([folder, registeredFolder(name) ?? folder])];
  const recorded = folders.flatMap((one) => readState(one)?.processes ?? []);
  const inside = (await Promise.all(namespaces.map(processesIn))).flat().filter((pid) => pid !== process.pid);
  const marks = inside.map(mark).filter((one): one is ProcessMark => one !== undefined);
  await end([...recorded.filter(isAlive), ...marks]);
  for (const namespace of namespaces) if (!namespace.endsWith('-switch')) await unplug({ name }, namespace);
  const theSwitch = `${name}-switch`;
  if (namespaceExists(theSwitch)) await must(['ip', 'netns', 'del', theSwitch]);
  for (const one of folders) await removeFolder(one);
  forget(name);
}

function namespacesOf(name: string): readonly string[] {
  if (!existsSync('/run/netns')) return [];
  const own = new RegExp(`^${name}-(switch|app|control|db\\d+|w\\d+)$`);
  return readdirSync('/run/netns').filter((entry) => own.test(entry));
}

async function removeFolder(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const state = readState(folder);
  await unmountStorage(folder);
  // A folder that is no lab's is not ours to remove, whatever name was given for it.
  const ours =
    state !== undefined ||
    readdirSync(folder).every((entry) => ['run', 'etc', 'storage', 'hosts', 'disk.img'].includes(entry));
  if (ours) rmSync(folder, { recursive: true, force: true });
}
