import { UsageError } from '../lab/options.ts';

/** A campaign of `npm run chaos -- NAME`: reads its own options and resolves with the exit status. */
export type Campaign = (argv: readonly string[]) => Promise<number>;

interface Entry {
  readonly usage: string;
  readonly explains: string;
  /** Loaded when it is asked for. */
  readonly load: () => Promise<Campaign>;
}

const CAMPAIGNS: Readonly<Record<string, Entry>> = {
  rounds: {
    usage:
      'rounds [--rounds 10] [--seed 1] [--mode lossless|async|both] [--from ROUND] [--only ROUND] [--watched] [--plan] [--json] [--out FOLDER] [--name LAB]',
    explains:
      'Random faults, a failover, everything back, a verdict from outside. --watched: a watcher starts it. Goes on where it was interrupted.',
    load: async () => (await import('./rounds/campaign.ts')).rounds,
  },
  matrix: {
    usage: 'matrix [--json] [--list] [--only PATTERN] [--shard I/N] [--out FOLDER] [--name LAB]',
    explains:
      'kills the worker, and Temporal, before, after and inside every activity; --out goes on where it was ended',
    load: async () => (await import('./matrix/main.ts')).default,
  },
  zombies: {
    usage: 'zombies [--json] [--attempts 100] [--seed 1] [--only PATTERN] [--out FOLDER] [--name LAB]',
    explains: 'freezes a worker in every activity that changes something; it thaws when another one has finished',
    load: async () => (await import('./zombies/main.ts')).default,
  },
  blips: {
    usage: 'blips [--rounds 500] [--seed 1] [--only ROUND] [--plan] [--json] [--out FOLDER] [--name LAB]',
    explains: 'what is wrong for a moment and kills nobody, under a watcher that may fail over: it must not',
    load: async () => (await import('./blips/campaign.ts')).blips,
  },
  files: {
    usage: 'files [--rounds 250] [--seed 1] [--only ROUND] [--plan] [--json] [--out FOLDER] [--name LAB]',
    explains:
      'file runs with folders that are unmounted, emptied, mistaken, and whoever is in it killed: no file is lost',
    load: async () => (await import('./files/campaign.ts')).files,
  },
  guards: {
    usage: 'guards [--json] [--only NAME]',
    explains: 'switches off each safety guard in turn, in a copy of the sources, and shows which test goes red',
    load: async () => (await import('./guards/campaign.ts')).guards,
  },
};

const usage = (): string =>
  [
    'npm run chaos -- CAMPAIGN [options]',
    ...Object.values(CAMPAIGNS).map((one) => `  ${one.usage}\n      ${one.explains}`),
  ].join('\n');

interface Told {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs a campaign by the command line; resolves with the exit status, 2 for a command line that cannot be followed. */
export async function runCampaign([name = '', ...argv]: readonly string[], tell: Told): Promise<number> {
  const entry = Object.hasOwn(CAMPAIGNS, name) ? CAMPAIGNS[name] : undefined;
  if ([name, ...argv].includes('--help')) {
    tell.out(`${entry === undefined ? usage() : `npm run chaos -- ${entry.usage}\n    ${entry.explains}`}\n`);
    return 0;
  }
  if (entry === undefined) {
    tell.err(`${name === '' ? '' : `there is no campaign ${name}\n`}${usage()}\n`);
    return 2;
  }
  try {
    return await (
      await entry.load()
    )(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    tell.err(`${name}: ${error.message}. Usage: npm run chaos -- ${entry.usage}\n`);
    return 2;
  }
}
