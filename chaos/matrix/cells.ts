import type { CatalogueEntry } from '../../activities/catalogue.ts';
import { CATALOGUE } from '../../activities/catalogue.ts';
import type { Death } from '../deaths.ts';
import { dieHeld, dieReported } from '../deaths.ts';
import { failoverWithDeath, hostDies, VICTIMS, WAYS } from '../host-deaths.ts';
import type { Incident, Scenario } from '../play.ts';
import type { ScenarioName } from '../scenarios.ts';
import { SCENARIOS } from '../scenarios.ts';

type When = 'before' | 'after' | 'reported';

/** One death at one instant of one activity. */
export interface Cell {
  readonly id: string;
  readonly story: string;
  readonly scenario: Scenario;
  readonly activity: string;
  readonly incident: Incident;
  /** What the server's history has to show of the activity: that it was completed, by another attempt than the one that died. */
  readonly witness: 'completed' | 'completed again' | 'nothing';
  /** Cells of one seat are never played in one run. */
  readonly seat: string;
}

/** Which story reaches which activity; a step of it that another story reaches stands there alone, after a dot. */
const REACHED_BY: Readonly<
  Record<
    ScenarioName,
    readonly (keyof typeof CATALOGUE | `${keyof typeof CATALOGUE}.${CatalogueEntry['steps'][number]}`)[]
  >
> = {
  verify: ['describeCluster', 'observeCluster', 'measureLag'],
  prepare: ['describeCluster', 'equipMembers', 'openPrimary'],
  'failover-undone': ['undoFence'],
  failover: ['fenceAndDrain', 'promoteAndRoute', 'settleCluster', 'describeCluster', 'observeCluster', 'measureLag'],
  provision: [
    'describeCluster',
    'planProvision',
    'openTransfer',
    'copySnapshot',
    'installSnapshot',
    'startReplica',
    'proveReplica',
    'admitReplica',
    'keepSnapshot',
  ],
  'provision-undone': ['cleanTransfer'],
  'admission-undone': ['undoAdmission'],
  'removal-undone': ['undoRemoval'],
  'remove-acker': ['removeAcker'],
  'remove-last-acker': ['removeAcker.release'],
  'go-async': ['goAsync'],
  'make-room': ['makeRoom'],
  rejoin: ['planRejoin', 'rejoinHost'],
  'rejoin-undone': ['undoRejoin'],
  'rejoin-diverged': ['rejoinHost.quarantine'],
  deposed: ['fenceDeposed'],
  'sync-files': ['planFiles', 'syncFileset', 'logFiles'],
  'diff-files': ['diffFileset'],
};

/** An activity that no story is known to reach is looked for in a failover; a cell that is never reached has not passed. */
const ELSEWHERE: ScenarioName = 'failover';

const DEATHS: readonly Death[] = ['worker', 'temporal'];

/** Every cell there is, from the contract's own list of activities and steps. */
export function allCells(): readonly Cell[] {
  return [
    ...scenarioNames().flatMap((story) =>
      activitiesIn(story).flatMap((activity) => DEATHS.flatMap((death) => cellsOf(story, activity, death))),
    ),
    ...hostDeaths(),
  ];
}

const scenarioNames = (): readonly ScenarioName[] => Object.keys(REACHED_BY) as ScenarioName[];

function activitiesIn(scenario: ScenarioName): readonly string[] {
  const placed = Object.values(REACHED_BY).flat();
  const others = Object.keys(CATALOGUE).filter((name) => !placed.some((one) => one === name));
  return scenario === ELSEWHERE ? [...REACHED_BY[scenario], ...others] : REACHED_BY[scenario];
}

const stepsOf = (activity: string): CatalogueEntry['steps'] => CATALOGUE[activity as keyof typeof CATALOGUE].steps;

function cellsOf(story: ScenarioName, reached: string, death: Death): readonly Cell[] {
  const [activity = ''] = reached.split('.');
  const cell = (place: string, when: When): Cell => ({
    id: `${story} ${place}:${when} ${death}`,
    story,
    scenario: SCENARIOS[story],
    activity,
    seat: activity,
    witness: death === 'worker' && when !== 'reported' ? 'completed again' : 'completed',
    incident:
      when === 'reported'
        ? { point: `${place}:after`, happen: (scene) => dieReported(scene, activity, death) }
        : { point: `${place}:${when}`, happen: (scene) => dieHeld(scene, death) },
  });
  const around = (place: string): readonly Cell[] => [cell(place, 'before'), cell(place, 'after')];
  const elsewhere = Object.values(REACHED_BY).flat();
  const [, alone] = reached.split('.');
  if (alone !== undefined) return around(reached);
  const steps = stepsOf(activity).filter((step) => !elsewhere.some((one) => one === `${activity}.${step}`));
  return [
    cell(activity, 'before'),
    ...steps.flatMap((step) => around(`${activity}.${step}`)),
    cell(activity, 'after'),
    cell(activity, 'reported'),
  ];
}

/** The candidate, or the other replica, dies in front of every step of a failover, and behind the last one. */
function hostDeaths(): readonly Cell[] {
  const points = ['fenceAndDrain', 'promoteAndRoute'].flatMap((activity) => [
    ...stepsOf(activity).map((step) => ({ activity, point: `${activity}.${step}:before` })),
    { activity, point: `${activity}:after` },
  ]);
  return VICTIMS.flatMap((victim) =>
    points.flatMap(({ activity, point }) =>
      WAYS.map((way): Cell => ({
        id: `deaths ${point} ${victim}-${way}`,
        story: `deaths ${victim}`,
        scenario: failoverWithDeath(SCENARIOS.failover, victim),
        activity,
        seat: 'host',
        witness: 'nothing',
        incident: hostDies(point, victim, way),
      })),
    ),
  );
}

/** Cells of one run. Each death of a worker or of Temporal is in another activity, so that each has its own evidence. */
export interface Sitting {
  readonly scenario: Scenario;
  readonly cells: readonly Cell[];
}

/** Stories that leave the cluster as they found it come one after the other. */
export function seatedTogether(cells: readonly Cell[]): readonly Sitting[] {
  const sittings: { story: string; scenario: Scenario; cells: Cell[] }[] = [];
  for (const cell of cells) {
    const { story, scenario } = cell;
    const free = sittings.find((one) => one.story === story && one.cells.every((other) => other.seat !== cell.seat));
    if (free === undefined) sittings.push({ story, scenario, cells: [cell] });
    else free.cells.push(cell);
  }
  return sittings;
}
