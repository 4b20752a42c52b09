import type { App } from '../../../cli/command.ts';
import type { Environment } from '../../../config/schema.ts';
import type { Snapshot } from '../../../diagnosis/snapshot.ts';
import { askCluster } from '../cluster.ts';
import { listRemoteComponents } from '../components.ts';
import { toRemoteLine } from '../environment.ts';
import { openRemote } from '../remote-cluster.ts';
import { toNeeds, withStatus } from './component-needs.ts';
import { listNodes } from './read-status.ts';
import type { ComponentReport, StatusReport } from './status-report.ts';

/**
 * Reads the status of a remote environment: its services, and the data stores that run in its cluster.
 * @throws {Failure} as `openRemote`.
 */
export async function readRemoteStatus(app: App, environment: Environment): Promise<StatusReport> {
  const access = await openRemote(app, environment);
  const { name, server } = access.context;
  const { snapshot, silence } = await askCluster(access, app.signal);
  const parts = snapshot ? toRemoteReports(snapshot, environment) : [];
  const isReady = snapshot !== undefined && parts.every(({ state }) => state === 'ready');
  return {
    version: 1,
    environment: environment.name,
    namespace: environment.namespace,
    ready: isReady,
    fresh: true,
    cluster: {
      name,
      server,
      ...(snapshot
        ? { state: 'running', nodes: listNodes(snapshot) }
        : { state: 'silent', evidence: silence, nodes: [] }),
    },
    extras: [],
    parts,
    next: isReady ? undefined : parts.find(({ next }) => next !== undefined)?.next,
  };
}

/** The components of a remote environment. */
export function toRemoteReports(snapshot: Snapshot, environment: Environment): readonly ComponentReport[] {
  const found = withStatus(snapshot, listRemoteComponents(snapshot, environment));
  return found.map(({ component, status: whole }) => {
    // The images there were not built from the sources of this checkout.
    const { created, running: _, live: __, next, ...status } = whole;
    const { name, kind } = component;
    const time = created === undefined ? undefined : new Date(created).toISOString();
    const needs = toNeeds(component, found);
    return { name, kind, ...status, ...needs, created: time, next: toRemoteLine(next, environment.name) };
  });
}
