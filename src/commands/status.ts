import { setTimeout as sleep } from 'node:timers/promises';
import { type App, defineCommand } from '../cli/command.ts';
import { environment } from '../cli/options.ts';
import { exitCodes } from '../lib/failure.ts';
import { defaultEnvironment, findChosenEnvironment } from '../state/chosen-environment.ts';
import { findClusterAccess, type LocalAccess } from './context/cluster.ts';
import { isLocal } from './context/environment.ts';
import { readStatus } from './status/read-status.ts';
import type { StatusReport } from './status/status-report.ts';
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
      const { toStatusSchema } = await import('./status/status-report.ts');
      const value = toStatusSchema();
      app.ui.result(value, JSON.stringify(value, undefined, 2));
      return exitCodes.ok;
    }
    const read = await openReader(app, env);
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

/** Returns a function that reads the status of the named environment, or of the chosen one. */
async function openReader(app: App, name: string | undefined): Promise<() => Promise<StatusReport>> {
  const wanted = name ?? (await findChosenEnvironment(app.paths));
  if (wanted !== defaultEnvironment) {
    const found = await app.environment({ name: wanted });
    if (!isLocal(found)) {
      const { readRemoteStatus } = await import('./status/read-remote-status.ts');
      return () => readRemoteStatus(app, found);
    }
  }
  let access: LocalAccess | undefined;
  return async () => {
    access ??= await findClusterAccess(app);
    const report = await readStatus(app, access, wanted);
    // The connections are reused while the cluster responds; a recreated cluster needs new ones.
    if (report.cluster.state !== 'running') access = undefined;
    return report;
  };
}
