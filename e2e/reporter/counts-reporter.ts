import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/**
 * Writes `{passed, failed, skipped}` as JSON to the file named by SWITCHBOARD_TEST_COUNTS, for the last line of `npm test`. A test
 * file that cannot be loaded, an error outside of every test and an interrupted run count as one failure each.
 */
export class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const file = process.env.SWITCHBOARD_TEST_COUNTS;
    if (!file) return;
    const counts = { passed: 0, failed: errors.length + (reason === 'interrupted' ? 1 : 0), skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed' || state === 'skipped') counts[state]++;
        else counts.failed++;
      }
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed++;
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}
