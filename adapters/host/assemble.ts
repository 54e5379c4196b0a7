import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';

/** The helper as it is installed on a host: its text, and the version that `hello` answers (sha256, 12 digits). */
export interface HelperText {
  readonly text: string;
  readonly version: string;
  readonly sha256: string;
}

/** Beside this file in the sources; in the package the compiled file is in dist/adapters/host and the parts stay where they were. */
const PLACES = [new URL('./parts/', import.meta.url), new URL('../../../adapters/host/parts/', import.meta.url)];

/** Joins the parts in name order, exactly as install.sh does. */
export async function assembleHelper(): Promise<HelperText> {
  const { folder, names } = await findParts();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
  const text = texts.join('');
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { text, sha256, version: sha256.slice(0, 12) };
}

async function findParts(): Promise<{ folder: URL; names: string[] }> {
  for (const folder of PLACES) {
    const names = (await namesIn(folder)).filter((name) => name.endsWith('.sh')).sort();
    if (names.length > 0) return { folder, names };
  }
  throw new Error(
    `The parts of standfast-host are missing from this installation (looked in ${PLACES.map((place) => place.pathname).join(' and ')}); install the package again`,
  );
}

async function namesIn(folder: URL): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
