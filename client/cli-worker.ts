import { Option } from '@commander-js/extra-typings';
import type { WorkerOrder } from './cli-io.ts';
import type { Root } from './cli-program.ts';
import { explained } from './foreign-failures.ts';

export function addWorker(program: Root, start: (order: WorkerOrder) => Promise<void>): void {
  program
    .command('worker')
    .description('the process that carries out runbooks')
    .command('start')
    .description(
      'start a worker for runbooks and one that watches, as two processes; both end, with their steps handed over, on SIGTERM',
    )
    .addOption(
      new Option('--role <role>', 'start only this one; observe: one that only looks, from another site').choices([
        'runbooks',
        'watch',
        'observe',
      ] as const),
    )
    .option('--site <name>', 'of --role observe: where it is, as in policy.watch.observers')
    .action(({ role, site }, command) => {
      if (role !== 'observe') {
        if (site !== undefined) command.error('error: --site is of --role observe alone; leave it out, or add that');
        return start({ role });
      }
      const missing = 'error: --role observe needs --site <name>, one of policy.watch.observers in the inventory';
      return start({ role, site: site ?? command.error(missing) });
    });
}

export async function startWorkerOrExplain(start: () => Promise<number>): Promise<number> {
  try {
    return await start();
  } catch (error) {
    throw explained(error, 'no worker was started');
  }
}
