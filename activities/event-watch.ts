import { log } from '@temporalio/activity';
import { noteEvents } from '../adapters/mariadb-events.ts';
import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { raceDeadline } from '../adapters/sql.ts';
import type { HostName } from '../domain/cluster.ts';
import { pause } from './pause.ts';

/** What a person changes in the last seconds before a failover may not be noted. */
const NOTE_EVERY_MS = 10_000;
/** How soon it is looked again whether the primary serves. */
const NOT_NOW_MS = 1_000;
/** Longer than a note takes that is not answered, and whose session has to be ended. */
const LONGEST_MS = 30_000;

interface Noting {
  readonly cluster: ClusterPorts;
  readonly primary: HostName;
  /** Whether the primary serves, and nothing is being done about it. */
  readonly serves: () => boolean;
}

/** While the primary serves it is noted which of its events are enabled, so that whoever takes its place can run the same. Ends when it is aborted. */
export async function keepNotingEvents({ cluster, primary, serves }: Noting, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted;
  let told = '';
  while (cluster.events && !isOver()) {
    const isNow = serves();
    const why = isNow ? await noteUnlessOver(cluster, primary, signal) : '';
    if (why !== '' && why !== told) log.warn('the enabled events are not noted', { primary, why });
    if (isNow) told = why;
    await pause(isNow ? NOTE_EVERY_MS : NOT_NOW_MS, signal);
  }
}

/** One that waits, to be acknowledged for one, must not keep a watch from being begun anew: it closes its session behind it. */
async function noteUnlessOver(cluster: ClusterPorts, primary: HostName, signal: AbortSignal): Promise<string> {
  const ended = await raceDeadline(note(cluster, primary), LONGEST_MS, signal);
  if (ended.kind === 'failed') throw ended.error;
  return ended.kind === 'done' ? ended.value : '';
}

/** @returns why not; empty: they are */
async function note(cluster: ClusterPorts, primary: HostName): Promise<string> {
  try {
    // A full server is not asked again and again for the place that it keeps for others.
    const session = await cluster.session(primary, { fullMs: 0 });
    try {
      await noteEvents(session);
    } finally {
      session.close();
    }
    return '';
  } catch (error) {
    // The watch itself says when a server does not answer.
    if (!(error instanceof AdapterFailure)) throw error;
    return error.message;
  }
}
