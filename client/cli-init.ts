import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { DiscoveryOrder } from '../inventory/draft.ts';
import { attached, clusterName } from './cli-commands.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Root } from './cli-program.ts';

export interface InitOrder extends DiscoveryOrder {
  /** The file that is written; one that is there is never touched. */
  readonly to: string;
}

export function addInit(program: Root, perform: (options: GlobalOptions, order: InitOrder) => Promise<void>): void {
  program
    .command('init')
    .description(
      'read a running set-up over SSH, and write an inventory of it, with a mark at whatever it could not know',
    )
    .requiredOption('--from <host>', 'any database host of it; the others are found from there')
    .option('--to <file>', 'what is written; never over a file that is there', 'standfast.yaml')
    .option('--cluster <cluster>', 'what to call it', 'main')
    .option('--ssh-user <user>', 'root, or one who may use sudo without a password')
    .option('--ssh-port <port>', 'port of sshd on every host', portArgument)
    .option('--ssh-key <file>', 'private key')
    .option('--known-hosts <file>', 'pinned host keys')
    .action(async ({ cluster, ...rest }) => {
      const options = attached(program.opts(), 'init');
      await perform(options, { ...rest, cluster: clusterName('init', cluster) });
    });
}

function portArgument(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a number from 1 to 65535.');
}
