import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    reporters: ['default', './test/totals.ts'],
    globalSetup: ['test/obtain-helm.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A second is not long on two cores that also build Kubernetes.
    expect: { poll: { timeout: 10_000 } },
    // Two cores: the tests that spawn the CLI or helm would starve each other in more workers.
    maxWorkers: 2,
  },
});
