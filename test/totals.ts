import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Adds what came of a test run to the file that WEALIST_TEST_TOTALS names, as a line of JSON, for `.ci/run` to sum up:
 * how many tests passed and were skipped, and the names of those that failed.
 */
export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env.WEALIST_TEST_TOTALS;
    if (!file) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (wanted: string) => tests.filter((test) => test.result().state === wanted).length;
    const failed = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => `${test.module.relativeModuleId} > ${test.fullName}`),
      // A file that cannot be loaded has no tests that could fail.
      ...modules
        .filter((module) => module.errors().length > 0)
        .map((module) => `${module.relativeModuleId}: the file itself`),
      ...unhandledErrors.map((error) => `an error outside the tests: ${(error as Error).message}`),
    ];
    const totals = { passed: count('passed'), failed, skipped: count('skipped') };
    appendFileSync(file, `${JSON.stringify(totals)}\n`);
  }
}
