import type { CliIo } from './cli-io.ts';
import { StandfastError } from './errors.ts';

export interface Confirmation {
  readonly cluster: string;
  /** What would happen, as a question's first half. */
  readonly danger: string;
  readonly confirm?: string | undefined;
  readonly yes?: true | undefined;
  readonly mayAsk: boolean;
}

/** Returns when a person, or a flag, has named the cluster; refuses otherwise. */
export async function requireConfirmation(io: CliIo, wanted: Confirmation): Promise<void> {
  const { cluster, confirm, danger } = wanted;
  if (wanted.yes === true || confirm === cluster) return;
  if (confirm !== undefined) throw refused(`--confirm names "${confirm}", but the command is for "${cluster}"`);
  if (!io.isInteractive || !wanted.mayAsk)
    throw refused(`${danger}: it needs --confirm ${cluster} (or --yes) when nobody can be asked`);
  const typed = await io.ask(`${danger}. Type the cluster's name to go on: `);
  if (typed.trim() !== cluster) throw refused(`"${typed.trim()}" is not "${cluster}"`);
}

const refused = (why: string): StandfastError =>
  new StandfastError({
    type: 'BadInput',
    message: `${why}; nothing was started`,
    facts: { changed: false, about: 'argument' },
  });
