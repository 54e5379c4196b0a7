import { attached } from './cli-commands.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Root } from './cli-program.ts';

export function addDoctor(
  program: Root,
  perform: (options: GlobalOptions, cluster: string | undefined) => Promise<void>,
): void {
  program
    .command('doctor')
    .description(
      'whether everything that Standfast needs is there, and what mends the rest; exits with 10 when something is not',
    )
    .argument('[cluster]', 'every cluster of the inventory unless given')
    .action(async (cluster) => {
      await perform(attached(program.opts(), 'doctor'), cluster);
    });
}
