import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/**
 * The long ones come first, so that two places are busy to the end. The search for secrets comes last of those with a lab: it looks through what all the
 * runs before it left in Temporal and in the logs.
 */
export default class SearchBehindRuns extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((left, right) => turn(left) - turn(right));
  }
}

function turn({ project, moduleId }: TestSpecification): number {
  if (project.name !== 'integration') return 2;
  return moduleId.endsWith('/secrets.test.ts') ? 1 : 0;
}
