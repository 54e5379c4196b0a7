import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

const isSearch = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/secrets.test.ts');

/** The search for secrets comes last: it looks through what all the runs before it left in Temporal and in the logs. */
export default class SearchLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter((file) => !isSearch(file)), ...sorted.filter(isSearch)];
  }
}
