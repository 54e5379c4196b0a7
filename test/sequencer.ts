import path from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** In each project, the longest first, as measured; what is not here is short. */
const LONG: readonly string[] = [
  // Before anything that fails over in the Temporal of its place: it finds that no failover was ever tried.
  'integration/audit',
  'integration/ackers',
  'crash/matrix',
  'integration/watch',
  'integration/tutorial',
  'integration/files',
  'integration/provision-frozen',
  'integration/room',
  'integration/verify',
  'integration/provision',
  'integration/relay-logs',
  'crash/rounds',
  'integration/failover',
  'integration/starts',
  'integration/cli',
  'integration/rejoin',
  'integration/lossless',
  'crash/blips',
  'integration/safety',
  'integration/fence',
  'integration/witness',
  'integration/two-planes',
  'integration/worker-pair',
  'integration/two-hosts',
  'crash/files',
  'integration/doctor',
  'integration/observers',
  'crash/zombies',
  'host/files',
  'host/database',
  'host/jobs',
  'client/schedules',
  'lab/lab',
  'host/records',
  'host/vip',
];

/**
 * The long ones come first, so that both places are busy to the end. The search for secrets comes last of those with a lab: it looks through what all the
 * runs before it left in Temporal and in the logs.
 */
export default class SearchBehindRuns extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((left, right) => turn(left) - turn(right) || rank(left) - rank(right));
  }
}

function turn({ project, moduleId }: TestSpecification): number {
  if (project.name !== 'integration') return 2;
  return moduleId.endsWith('/secrets.test.ts') ? 1 : 0;
}

function rank({ moduleId }: TestSpecification): number {
  const { dir, base } = path.parse(moduleId);
  const at = LONG.indexOf(`${path.basename(dir)}/${base.replace('.test.ts', '')}`);
  return at < 0 ? LONG.length : at;
}
