import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Adds what came of a test run to the file that WEALIST_TEST_TOTALS names, as a line of JSON, for `.ci/run` to sum up. */
export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env.WEALIST_TEST_TOTALS;
    if (!file) return;
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (wanted: string) => states.filter((state) => state === wanted).length;
    // A file that cannot be loaded has no tests that could fail.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failed = count('failed') + broken + unhandledErrors.length;
    appendFileSync(
      file,
      `${JSON.stringify({ passed: count('passed'), failed, skipped: count('skipped') })}\n`,
    );
  }
}
