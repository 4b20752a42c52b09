import { setTimeout as sleep } from 'node:timers/promises';
import { type App, defineCommand } from '../cli/command.ts';
import { environment } from '../cli/options.ts';
import { exitCodes } from '../lib/failure.ts';
import { openStatus } from './context/status/open-status.ts';
import type { StatusReport } from './context/status/status-report.ts';
import { describeStatus } from './status/status-text.ts';

/** Milliseconds between two updates. */
const interval = 1_000;

export const command = defineCommand({
  description:
    'Shows the state and addresses of the cluster, its services and data stores, and whether each service runs its current source. A service is fresh when its pods run the image built from its current source. Otherwise it is STALE, and the reason is shown: that image is not built, not loaded or not running.',
  options: {
    env: environment,
    watch: { summary: 'refresh every second, until Ctrl-C' },
    exitCode: { summary: 'exit with code 11 unless everything is ready and fresh' },
    schema: { summary: 'print the JSON Schema of the --json output' },
  },
  examples: [
    'npm run status',
    'npm run status -- --watch',
    'npm run status -- --json --exit-code',
    'npm run status -- --env dev',
  ],
  onlyPrints: true,

  async run(app, { env, watch, exitCode, schema }) {
    if (schema) {
      const { toStatusSchema } = await import('./context/status/status-report.ts');
      const value = toStatusSchema();
      app.ui.result(value, JSON.stringify(value, undefined, 2));
      return exitCodes.ok;
    }
    const read = await openStatus(app, env);
    if (watch) return watchStatus(app, read);
    const report = await read();
    app.ui.result(report, describeStatus(report, app.ui.resultColors, Date.now()));
    return exitCode && !(report.ready && report.fresh) ? exitCodes.differences : exitCodes.ok;
  },
});

/** Prints the status until the signal is aborted. */
async function watchStatus(app: App, read: () => Promise<StatusReport>): Promise<never> {
  for (;;) {
    const report = await read();
    app.ui.redraw(report, describeStatus(report, app.ui.resultColors, Date.now()));
    await sleep(interval, undefined, { signal: app.signal });
  }
}
