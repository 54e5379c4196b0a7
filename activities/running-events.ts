import { runEvents } from '../adapters/mariadb-events.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { EventsReport } from '../domain/events.ts';
import { notRun } from '../domain/events.ts';
import type { Authority } from './authority.ts';
import { isStale } from './overtaken.ts';

/**
 * Has `primary` run its events, if the policy is that it does. Clients are served already: what keeps them from it is told, and no reason to fail.
 * @returns null when the policy is not to run events
 * @throws `Stale` when a newer operation has claimed
 */
export async function runEventsOf(authority: Authority, primary: HostName): Promise<EventsReport | null> {
  if (!authority.cluster.events) return null;
  const run = (): Promise<EventsReport> => authority.withSession(primary, runEvents);
  const unlessOvertaken = (error: unknown): AdapterFailure => {
    if (!(error instanceof AdapterFailure) || isStale(error)) throw error;
    return error;
  };
  try {
    return await run();
  } catch (first) {
    unlessOvertaken(first);
    // A newer claim ends the session, too; whether there is one is asked before another session is used.
    return run().catch((error: unknown) =>
      notRun(`it is not known whether all run: ${unlessOvertaken(error).message}`),
    );
  }
}
