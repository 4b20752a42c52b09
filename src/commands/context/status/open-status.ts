import type { App } from '../../../cli/command.ts';
import { defaultEnvironment, findChosenEnvironment } from '../../../state/chosen-environment.ts';
import { findClusterAccess, type LocalAccess } from '../cluster.ts';
import { isLocal } from '../environment.ts';
import { readStatus } from './read-status.ts';
import type { StatusReport } from './status-report.ts';

/**
 * Returns a function that reads the status of the named environment, or of the chosen one. Its connections are kept for
 * the next call. @throws {Failure} as `App.environment` and, for a remote environment, as `openRemote`.
 */
export async function openStatus(app: App, name: string | undefined): Promise<() => Promise<StatusReport>> {
  const wanted = name ?? (await findChosenEnvironment(app.paths));
  if (wanted !== defaultEnvironment) {
    const found = await app.environment({ name: wanted });
    if (!isLocal(found)) {
      const { readRemoteStatus } = await import('./read-remote-status.ts');
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
