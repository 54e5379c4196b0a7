#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { main } from '../client/cli.ts';
import type { CliIo } from '../client/cli-io.ts';
import type { Paint } from '../client/paint.ts';
import { coloured, plain } from '../client/paint.ts';

function paintFor(stream: NodeJS.WriteStream): Paint {
  // https://no-color.org: any value that is not empty.
  const isWanted = (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return stream.isTTY && isWanted ? coloured() : plain;
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  // Ctrl-C and Ctrl-D at the question are answers too: neither is the cluster's name.
  terminal.once('close', () => {
    left.abort();
  });
  try {
    return await terminal.question(question, { signal: left.signal });
  } catch (error) {
    if (left.signal.aborted) return '';
    throw error;
  } finally {
    terminal.close();
  }
}

function onInterrupt(listener: () => void): () => void {
  process.once('SIGINT', listener);
  return () => process.removeListener('SIGINT', listener);
}

const CLEAR = '\u001B[2J\u001B[H';

const io: CliIo = {
  out: (text) => process.stdout.write(`${text}\n`),
  redraw: (text) => process.stdout.write(process.stdout.isTTY ? `${CLEAR}${text}\n` : `${text}\n\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  paintOut: paintFor(process.stdout),
  paintErr: paintFor(process.stderr),
  isInteractive: process.stdin.isTTY,
  ask,
  onInterrupt,
};

const exitCode = await main(process.argv.slice(2), io, {
  connect: async () => (await import('../client/standfast.ts')).Standfast.connect(),
  openRuns: async () => (await import('../client/runs-beside.ts')).runsBeside(),
  openHosts: async () => (await import('../worker/hosts.ts')).openHosts(),
  discover: async (order) => (await import('../worker/init.ts')).draftInventory(order),
  startWorker: async (order) => {
    if (order.role === 'observe') {
      await (await import('../worker/observer.ts')).runObserver(order.site);
      return 0;
    }
    const { role } = order;
    const { endWithPair, runPair } = await import('../worker/pair.ts');
    if (role === undefined) return runPair([process.execPath, process.argv[1] ?? '', 'worker', 'start']);
    endWithPair();
    await (await import('../worker/main.ts')).runWorker(role);
    return 0;
  },
});

// Whatever is still open (a connection that was given up) must not hold the process; what was written must still leave it.
process.stdout.write('', () => {
  process.stderr.write('', () => process.exit(exitCode));
});
