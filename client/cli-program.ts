import { createRequire } from 'node:module';
import { Command, Option } from '@commander-js/extra-typings';
import { durationArgument } from './cli-duration.ts';
import type { CliIo } from './cli-io.ts';

/** The command line without its commands: what every one of them takes. */
export function rootCommand(io: CliIo) {
  const output = new Option('-o, --output <format>', 'what standard output carries (md: of audit alone)')
    .choices(['text', 'json', 'md'] as const)
    .default('text' as const);
  return new Command('standfast')
    .description('Durable failover runbooks for MariaDB, on Temporal')
    .addOption(output)
    .option('--detach', 'return as soon as the run is durable')
    .option('--timeout <duration>', 'end the wait, not the run, after so long (90s, 5m)', durationArgument)
    .option('--no-input', 'never ask a question')
    .version(version(), '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => {
        io.out(text.trimEnd());
      },
      writeErr: (text) => {
        io.err(text.trimEnd());
      },
    })
    .showHelpAfterError('(--help tells what it takes)')
    .exitOverride()
    .hook('preAction', (program, command) => {
      if (program.opts().output === 'md' && command.name() !== 'audit')
        command.error(`error: ${command.name()} has no output md; it has text and json`);
    });
}

export type Root = ReturnType<typeof rootCommand>;

function version(): string {
  const found = createRequire(import.meta.url)('standfast/package.json') as { readonly version: string };
  return found.version;
}
