import { configDefaults, defineConfig } from 'vitest/config';
import { CountsReporter } from './e2e/reporter/counts-reporter.ts';

const folders = '{core,bots,connectors,sandbox,stream-viewer,e2e}/**';

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // How long a test waits for what has to come; vitest's own second is less than a loaded machine's pause. What has to be quick is timed.
    expect: { poll: { timeout: 10_000 } },
    reporters: ['default', new CountsReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: [`${folders}/*.test.ts`],
          exclude: [...configDefaults.exclude, '**/*.alone.test.ts'],
          globalSetup: ['core/store/testing/global-setup.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // What says how long something takes has the machine to itself, when everything else is done; and tries again, since a machine
        // that others use, too, pauses now and then: what is promised is what the code can do.
        extends: true,
        test: {
          name: 'alone',
          include: [`${folders}/*.alone.test.ts`],
          maxWorkers: 1,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
