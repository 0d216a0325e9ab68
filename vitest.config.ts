import { defineConfig } from 'vitest/config';
import { CountsReporter } from './e2e/reporter/counts-reporter.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['{core,bots,connectors,sandbox,e2e}/**/*.test.ts'],
    globalSetup: ['core/store/testing/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ['default', new CountsReporter()],
  },
});
