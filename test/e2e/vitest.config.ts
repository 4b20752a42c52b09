import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { groups, scenarios } from './scenarios.ts';

const names = scenarios.map(({ name }) => name);
const group = process.env.WEALIST_E2E_GROUP ?? 'all';
const wanted = scenarios.filter((each) => group === 'all' || each.group === group);
if (wanted.length === 0)
  throw new Error(`WEALIST_E2E_GROUP is ${group}, expected ${groups.join(', ')} or all`);

/** Runs the scenarios in the order of the table, instead of Vitest's order by size and past failures. */
class TableSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => names.indexOf(basename(moduleId, '.test.ts'));
    return files.toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    include: wanted.map(({ name }) => `test/e2e/${name}.test.ts`),
    globalSetup: 'test/e2e/setup.ts',
    reporters: ['verbose', './test/totals.ts'],
    // The scenarios share one cluster, one engine and two cores.
    fileParallelism: false,
    sequence: { sequencer: TableSequencer },
    testTimeout: 5 * 60_000,
    expect: { poll: { timeout: 20_000, interval: 200 } },
    // The first `up` with an empty cache builds Kubernetes.
    hookTimeout: 45 * 60_000,
    teardownTimeout: 2 * 60_000,
  },
});
