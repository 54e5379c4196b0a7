import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import path from 'node:path';
import { must } from './run.ts';
import type { LabState } from './state.ts';

const enoughMemory = 8 * 2 ** 30;
const imageSize = '40G';

/** A lower layer may not contain the upper one, so with `/` as the lowest the hosts' disks need a file system of their own. */
export function storageOf(state: Pick<LabState, 'folder'>): string {
  return path.join(state.folder, 'storage');
}

/**
 * Memory where there is plenty: restoring takes half the time and rounds do not wait for one another's disk. Otherwise a sparse
 * image file in the lab's folder; a sync then costs about 1.5 ms, as on a modest server.
 */
export function chooseStorage(): LabState['storage'] {
  return freemem() >= enoughMemory ? 'memory' : 'disk';
}

export async function mountStorage(state: LabState): Promise<void> {
  const target = storageOf(state);
  mkdirSync(target, { recursive: true });
  if (state.storage === 'memory') {
    await must(['mount', '-t', 'tmpfs', '-o', 'mode=755,size=60%', 'standfast-lab', target]);
    return;
  }
  const image = path.join(state.folder, 'disk.img');
  await must(['truncate', '-s', imageSize, image]);
  await must(['mkfs.ext4', '-q', '-E', 'lazy_itable_init=1,nodiscard', '-O', '^has_journal', image]);
  await must(['mount', '-o', 'loop', image, target]);
}

export async function unmountStorage(folder: string): Promise<void> {
  const target = storageOf({ folder });
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === target);
  // Lazy, because the kernel may still be ending the hosts' overlays; nothing runs on it any more.
  if (existsSync(target) && mounted) await must(['umount', '--lazy', target]);
}
