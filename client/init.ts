import { access, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mark } from '../inventory/draft.ts';
import { marksIn } from '../inventory/draft.ts';
import { parseInventory } from '../inventory/load.ts';
import type { InitOrder } from './cli-init.ts';
import type { Session } from './cli-session.ts';
import { asJson, reportError } from './cli-session.ts';
import { StandfastError } from './errors.ts';
import { explained } from './foreign-failures.ts';
import { renderInit } from './render-init.ts';

export interface Written {
  readonly path: string;
  readonly hosts: readonly string[];
  /** What a person has to find out. */
  readonly marks: readonly Mark[];
}

/** Reads what runs, and writes an inventory that loads. Changes nothing on a host, and no file that is there. */
export async function performInit(session: Session, { to, ...order }: InitOrder): Promise<number> {
  const { io, options, world } = session;
  io.err(`init from ${order.from}`);
  try {
    await refuseIfThere(to);
    const text = await world.discover(order).catch((error: unknown) => {
      throw explained(error, 'nothing was written');
    });
    const inventory = parseInventory(to, text);
    await writeNew(to, text);
    const hosts = inventory.clusters.flatMap((cluster) => cluster.hosts.map(({ name }) => name));
    const written: Written = { path: to, hosts, marks: marksIn(text) };
    io.out(options.output === 'json' ? asJson('Init', written) : renderInit(written, io.paintOut));
    return 0;
  } catch (error) {
    return reportError(session, error);
  }
}

/** Before anybody is asked. */
async function refuseIfThere(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false, // whatever else is wrong with the path is told when it is written
  );
  if (isThere) throw alreadyThere(path);
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(path);
    const first = code === 'ENOENT' ? `Make its folder first (mkdir -p ${dirname(path)}), or name` : 'Name';
    throw refused(`${path} cannot be written (${String(code)}); nothing was written. ${first} another place with --to`);
  }
}

const alreadyThere = (path: string): StandfastError =>
  refused(`${path} is there already; nothing was written. Name another file with --to, or move it away`);

const refused = (message: string): StandfastError =>
  new StandfastError({ type: 'BadInput', message, facts: { changed: false, about: 'argument' } });
