import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const folder = (name: string): string => `test/${name}/**/*.test.ts`;

// The vocabulary of Vitest: a default export.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    // The tests of the lab share one set of hosts.
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    allowOnly: false,
    reporters: ['default', fileURLToPath(new URL('./reporter.ts', import.meta.url))],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
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
          ].map(folder),
        },
      },
      {
        extends: true,
        test: { name: 'lab', sequence: { groupOrder: 1 }, include: ['host', 'lab', 'oracle'].map(folder) },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: ['integration', 'crash'].map(folder),
          globalSetup: fileURLToPath(new URL('./integration/global-setup.ts', import.meta.url)),
        },
      },
    ],
  },
});
