import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

let read: Promise<{ readonly content: string; readonly sha256: string }> | null = null;

/** The host helper of this version: its parts in the order of their names, as install.sh joins them. */
export const readHelperScript = (): Promise<{ readonly content: string; readonly sha256: string }> =>
  (read ??= joinParts());

async function joinParts(): Promise<{ readonly content: string; readonly sha256: string }> {
  const folder = partsFolder();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sh')).sort();
  const parts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  const content = parts.join('');
  return { content, sha256: createHash('sha256').update(content).digest('hex') };
}

function partsFolder(): string {
  const folder = fileURLToPath(new URL('../adapters/host/parts', import.meta.url));
  return existsSync(folder) ? folder : fileURLToPath(new URL('../../adapters/host/parts', import.meta.url));
}
