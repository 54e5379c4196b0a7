import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { PLACES } from './integration/places.ts';
import SearchBehindRuns from './sequencer.ts';

const folder = (name: string): string => `test/${name}/**/*.test.ts`;

// The vocabulary of Vitest: a default export.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    // Two cores. Files that run side by side have labs of their own.
    maxWorkers: PLACES,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    allowOnly: false,
    sequence: { sequencer: SearchBehindRuns },
    reporters: ['default', fileURLToPath(new URL('./reporter.ts', import.meta.url))],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'domain',
            'activities',
            'inventory',
            'adapters',
            'workflows',
            'client',
            'replay',
            'worker',
            'chaos',
            'bench',
          ].map(folder),
        },
      },
      { extends: true, test: { name: 'lab', include: ['host', 'lab', 'oracle'].map(folder) } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['integration', 'crash'].map(folder),
          globalSetup: fileURLToPath(new URL('./integration/global-setup.ts', import.meta.url)),
        },
      },
    ],
  },
});
