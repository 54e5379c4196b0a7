import type { Link } from './connection.ts';
import { applyChanges, planFor } from './schedule-changes.ts';
import type { ScheduleOrder } from './schedule-changes.ts';
import { listSchedules, pauseSchedules, resumeSchedules } from './schedule-list.ts';
import type { ListedSchedule, PauseInput } from './schedule-list.ts';
import type { ScheduleChange } from './schedule-plan.ts';

/** What Temporal starts by itself for the installation of this client's task queue. Schedules of others are never touched. */
export class Schedules {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** How they differ from what is wanted; see {@link wantedSchedules}. Changes nothing. */
  plan(order: ScheduleOrder): Promise<readonly ScheduleChange[]> {
    return planFor(this.#link, order);
  }

  /**
   * Carries out a plan. A paused schedule stays paused.
   * @throws StandfastError `Unsafe`, before anything is changed, when an ID is taken by a schedule that is not ours
   */
  apply(changes: readonly ScheduleChange[]): Promise<void> {
    return applyChanges(this.#link, changes);
  }

  /** Of one cluster, or of all. */
  list(cluster?: string): Promise<readonly ListedSchedule[]> {
    return listSchedules(this.#link, cluster);
  }

  /** Its schedules start nothing until they are resumed. Whoever watches the cluster goes on. */
  pause(input: PauseInput): Promise<readonly ListedSchedule[]> {
    return pauseSchedules(this.#link, input);
  }

  resume({ cluster }: Pick<PauseInput, 'cluster'>): Promise<readonly ListedSchedule[]> {
    return resumeSchedules(this.#link, cluster);
  }
}
