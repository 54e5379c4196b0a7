import { Lab } from '../../lab/lab.ts';
import { saveHistories } from './histories.ts';
import { PLACES } from './places.ts';
import { stageName, stagesThere } from './stage.ts';

/** A folder: what the runs of these tests left in Temporal is kept there, for the replay tests. */
const HISTORIES = process.env['STANDFAST_SAVE_HISTORIES'];

/** The files make their labs themselves, as they need them (stage.ts); what a killed run left behind goes first. */
export default async function setup(): Promise<() => Promise<void>> {
  await removeStages();
  return async () => {
    if (HISTORIES !== undefined)
      await saveHistories(
        stagesThere().map(({ temporal }) => temporal),
        HISTORIES,
      );
    await removeStages();
  };
}

async function removeStages(): Promise<void> {
  for (let which = 1; which <= PLACES; which += 1) await Lab.remove(stageName(which));
}
