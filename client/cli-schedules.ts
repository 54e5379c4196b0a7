import { findCluster } from '../inventory/load.ts';
import type { Inventory } from '../inventory/config.ts';
import type { Hands } from './cli-commands.ts';
import { attached, clusterName } from './cli-commands.ts';
import { openHosts } from './cli-hosts.ts';
import type { CliIo, CliWorld } from './cli-io.ts';
import type { Root } from './cli-program.ts';
import type { Job, Report } from './cli-session.ts';
import { EXIT, StandfastError } from './errors.ts';
import type { ListedSchedule } from './schedule-list.ts';
import type { ScheduleChange } from './schedule-plan.ts';

export interface ScheduleHands extends Hands {
  readonly world: CliWorld;
}

/** What Temporal starts by itself. */
export function addSchedules(program: Root, { io, run, world }: ScheduleHands): void {
  const schedule = program.command('schedule').description('what Temporal starts by itself');
  schedule
    .command('apply')
    .description('make the schedules match the inventory, and show the difference first; safe to repeat')
    .argument('[cluster]', 'every cluster of the inventory unless given, and what is gone from it')
    .option('--dry-run', 'only show the difference')
    .action(async (cluster, { dryRun }) => {
      const options = attached(program.opts(), 'schedule apply');
      await run(options, applyJob({ cluster, isDry: dryRun === true }, { io, world }));
    });
  schedule
    .command('ls')
    .description('the schedules of one cluster, or of all, with their last runs and what was missed')
    .argument('[cluster]')
    .action(async (cluster) => {
      const options = attached(program.opts(), 'schedule ls');
      await run(options, listJob(cluster === undefined ? cluster : clusterName('schedule ls', cluster)));
    });
  schedule
    .command('pause')
    .description(
      'its schedules start nothing until they are resumed (the watcher goes on); schedule apply leaves them paused',
    )
    .argument('<cluster>')
    .option('--reason <text>', 'kept as the note of the schedules')
    .action(async (cluster, { reason }) => {
      const options = attached(program.opts(), 'schedule pause');
      await run(options, pauseJob({ cluster: clusterName('schedule pause', cluster), reason }));
    });
  schedule
    .command('resume')
    .description('go on with the schedules of a cluster')
    .argument('<cluster>')
    .action(async (cluster) => {
      const options = attached(program.opts(), 'schedule resume');
      await run(options, resumeJob(clusterName('schedule resume', cluster)));
    });
}

interface ApplyOrder {
  readonly cluster: string | undefined;
  readonly isDry: boolean;
}

const applyJob = (
  { cluster, isDry }: ApplyOrder,
  { io, world }: { readonly io: CliIo; readonly world: CliWorld },
): Job => ({
  title: `schedules of ${cluster ?? 'every cluster'}, by the inventory`,
  work: async (client) => {
    const { wantedSchedules } = await import('./schedule-plan.ts');
    const { renderApplied, renderPlan } = await import('./render-schedules.ts');
    const wanted = wantedSchedules(await inventoryOf(world, cluster));
    const changes = await client.schedules.plan({ wanted, cluster });
    if (isDry)
      return {
        ...planReport(changes, { isApplied: false, text: (paint) => renderPlan(changes, paint) }),
        // As a plan with it would exit when it is applied.
        exitCode: changes.some(({ action }) => action === 'refuse') ? EXIT.refused : 0,
      };
    io.err(renderPlan(changes, io.paintErr));
    await client.schedules.apply(changes);
    return planReport(changes, { isApplied: true, text: () => renderApplied(changes) });
  },
});

/** Read where the hosts are asked from; none is asked. */
async function inventoryOf(world: CliWorld, cluster: string | undefined): Promise<Inventory> {
  const hosts = await openHosts(world, 'no schedule was changed');
  hosts.close();
  if (cluster === undefined) return hosts.inventory;
  const found = findCluster(hosts.inventory, cluster);
  if (found.kind === 'found') return hosts.inventory;
  throw new StandfastError({
    type: 'BadInput',
    message: `${found.message} (no schedule was changed; standfast schedule apply removes those of a cluster that is gone)`,
    facts: { changed: false, about: 'argument' },
  });
}

const planReport = (
  changes: readonly ScheduleChange[],
  { isApplied, text }: { readonly isApplied: boolean; readonly text: Report['text'] },
): Report => ({
  kind: 'SchedulePlan',
  data: {
    applied: isApplied,
    changes: changes.map(({ wanted, ...change }) => ({
      ...change,
      kind: wanted?.kind ?? null,
      fileset: wanted?.fileset ?? null,
      everySeconds: wanted?.everySeconds ?? null,
    })),
  },
  text,
});

const listReport = (schedules: readonly ListedSchedule[]): Report => ({
  kind: 'ScheduleList',
  data: { schedules },
  text: async (paint) => (await import('./render-schedules.ts')).renderSchedules(schedules, paint),
});

const listJob = (cluster: string | undefined): Job => ({
  title: `schedules of ${cluster ?? 'every cluster'}`,
  work: async (client) => listReport(await client.schedules.list(cluster)),
});

const pauseJob = (input: { readonly cluster: string; readonly reason: string | undefined }): Job => ({
  title: `pause the schedules of ${input.cluster}`,
  work: async (client) => listReport(await client.schedules.pause(input)),
});

const resumeJob = (cluster: string): Job => ({
  title: `resume the schedules of ${cluster}`,
  work: async (client) => listReport(await client.schedules.resume({ cluster })),
});
