import type { Outcome } from '../report.ts';
import type { ActivityRecord } from '../runs.ts';
import type { Performance, Theatre } from '../theatre.ts';
import type { Cell, Sitting } from './cells.ts';

/** Plays the cells of one run; each has its own outcome, and all of them need a sound cluster in the end. */
export async function sit(theatre: Theatre, { scenario, cells }: Sitting): Promise<readonly Outcome[]> {
  const performed = await theatre.play(
    scenario,
    cells.map((cell) => cell.incident),
  );
  return cells.map((cell) => outcomeOf(cell, performed));
}

/** The server's history has to show that somebody went on. */
function unlessWitnessed({ activity, witness }: Cell, found: readonly ActivityRecord[]): readonly string[] {
  const seen = found.some((one) => one.completed && (witness !== 'completed again' || one.attempt > 1));
  return seen || witness === 'nothing' ? [] : [`no history shows ${activity} ${witness}`];
}

export function outcomeOf(cell: Cell, { activities, reached, broken, ending, seconds }: Performance): Outcome {
  const found = activities.filter((one) => one.name === cell.activity);
  const missing = reached.includes(cell.incident.point)
    ? unlessWitnessed(cell, found)
    : [`${cell.incident.point} was never reached`];
  return {
    cell: cell.id,
    broken: [...missing, ...broken],
    ending,
    evidence: found.map((one) => `attempt ${String(one.attempt)} by ${one.worker}`).join(', '),
    seconds,
    at: new Date().toISOString(),
  };
}
