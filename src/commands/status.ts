import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../lib/failure.ts';
import { findClusterAccess } from './cluster-access.ts';
import { type App, defineCommand } from './command.ts';
import { readStatus } from './read-status.ts';
import { describeStatus } from './status-text.ts';

/** Milliseconds between two looks. */
const every = 1_000;

export const command = defineCommand({
  summary:
    'how the cluster, its services and their data stores are, whether they run their source, and where they answer',
  description:
    'A service is fresh when its pods run the image that is built of its source as it is now; else it is STALE, and the link that does not hold is named.',
  options: {
    watch: { summary: 'look again every second, until Ctrl-C' },
    exitCode: { summary: 'exit code 11 when not all is ready and fresh' },
    schema: { summary: 'print the JSON Schema of what --json prints' },
  },
  examples: ['npm run status', 'npm run status -- --watch', 'npm run status -- --json --exit-code'],
  onlyPrints: true,

  async run(app, { watch, exitCode, schema }) {
    if (schema) {
      const { toStatusSchema } = await import('./status-report.ts');
      const value = toStatusSchema();
      app.ui.result(value, JSON.stringify(value, undefined, 2));
      return exitCodes.ok;
    }
    if (watch) return watchStatus(app);
    const report = await readStatus(app, await findClusterAccess(app));
    app.ui.result(report, describeStatus(report, app.ui.resultColors, Date.now()));
    return exitCode && !(report.ready && report.fresh) ? exitCodes.differences : exitCodes.ok;
  },
});

/** Never ends by itself. */
async function watchStatus(app: App): Promise<never> {
  let access = await findClusterAccess(app);
  for (;;) {
    const report = await readStatus(app, access);
    app.ui.redraw(report, describeStatus(report, app.ui.resultColors, Date.now()));
    // Kept while it answers, with its connections; a cluster that is made anew is another one.
    if (report.cluster.state !== 'running') access = await findClusterAccess(app);
    await sleep(every, undefined, { signal: app.signal });
  }
}
