import { InvalidArgumentError } from '@commander-js/extra-typings';
import { parseFailover } from '../domain/inputs.ts';
import type { Hands } from './cli-commands.ts';
import { attached, checked } from './cli-commands.ts';
import { requireConfirmation } from './cli-confirm.ts';
import { acceptJob, failoverJob, planFailoverJob } from './cli-jobs.ts';
import type { Root } from './cli-program.ts';

export function addFailover(program: Root, { io, run }: Hands): void {
  program
    .command('failover')
    .description('the primary is dead: fence it, promote the best replica, move the VIP')
    .argument('<cluster>')
    .option('--to <host>', 'the replica to promote (the best one unless given)')
    .option('--reason <text>', 'kept in the history')
    .option('--ask-within <duration>', 'wait so long for a person to accept what cannot be proven (15m)')
    .option('--dry-run', 'tell what would be done if the primary were dead now; nothing is changed')
    .option('--confirm <cluster>', 'confirm by naming the cluster')
    .option('--yes', 'confirm')
    .action(async (cluster, { to, reason, askWithin, dryRun, confirm, yes }) => {
      const options = program.opts();
      const input = checked(
        parseFailover({
          cluster,
          ...(to !== undefined && { candidate: to }),
          ...(reason !== undefined && { reason }),
          ...(askWithin !== undefined && { askWithin }),
        }),
      );
      if (dryRun === true) {
        await run(options, planFailoverJob(input, options));
        return;
      }
      const danger = `a failover of ${cluster} shuts its primary off`;
      await requireConfirmation(io, { cluster, confirm, yes, danger, mayAsk: options.input });
      await run(options, failoverJob(input, options));
    });
  program
    .command('accept')
    .description('answer for what a failover that asks cannot prove; it goes on then')
    .argument('<cluster>')
    .requiredOption('--by <name>', 'who answers for it; kept in the history')
    .requiredOption('--reason <text>', 'why; kept in the history')
    .option('--fence', 'the old primary is out of action, although nothing proves it')
    .option('--loss <transactions>', 'the most transactions that may be lost, or unknown', lossArgument)
    .action(async (cluster, { by, reason, fence, loss }) => {
      await run(attached(program.opts(), 'accept'), acceptJob({ cluster, by, reason, fence, loss }));
    });
}

function lossArgument(text: string): number | 'unknown' {
  if (text === 'unknown') return text;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It takes a number of transactions, or unknown.');
  return Number(text);
}
