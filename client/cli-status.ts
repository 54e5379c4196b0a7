import { attached } from './cli-commands.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Root } from './cli-program.ts';

export interface StatusOrder {
  /** Every one of the inventory when absent. */
  readonly cluster: string | undefined;
  readonly watch: boolean;
}

export function addStatus(program: Root, perform: (options: GlobalOptions, order: StatusOrder) => Promise<void>): void {
  program
    .command('status')
    .description(
      'whether the primary may die now, and why; exits with 0 when it may, 10 when not, 11 when that is not known',
    )
    .argument('[cluster]', 'every cluster of the inventory unless given')
    .option('-w, --watch', 'look again every 2 s, until Ctrl-C')
    .action(async (cluster, { watch }) => {
      await perform(attached(program.opts(), 'status'), { cluster, watch: watch === true });
    });
}
