import type { Undone } from './contract.ts';

export interface UndoPart {
  readonly what: string;
  readonly work: () => Promise<unknown>;
}

export const NOTHING_UNDONE: Undone = { undone: [], notUndone: [] };

/** Runs every part, also after one failed, and says which worked. A part may rely on the ones before it. */
export async function undoAll(parts: readonly UndoPart[]): Promise<Undone> {
  const undone: string[] = [];
  const notUndone: string[] = [];
  for (const { what, work } of parts) {
    try {
      await work();
      undone.push(what);
    } catch (error) {
      notUndone.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { undone, notUndone };
}
