import type { App } from '../../cli/command.ts';
import type { FoundCluster } from '../../cluster/ownership.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import type { Engine } from '../../machine/engine.ts';
import type { Host } from '../../machine/host.ts';
import { findPortOwner } from '../../machine/port-owner.ts';
import { choosePorts, lowestPortOf } from '../../machine/ports.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { canPull } from './can-pull.ts';

export interface ChooseDeps {
  readonly app: Pick<App, 'signal' | 'ui' | 'exec'>;
  readonly host: Host;
  readonly engine: Engine | undefined;
  readonly environment: LocalEnvironment;
  readonly name: string;
  /** What an earlier run chose for the cluster of this checkout. */
  readonly record: ClusterRecord | undefined;
  /** The cluster of this name, where there is one. */
  readonly found: FoundCluster | undefined;
  /** Ports of this machine that clusters have, which are stopped as well. */
  readonly taken: ReadonlySet<number>;
}

/** What stays as it is until the cluster is removed; its extras come and go. */
export type ChosenCluster = Omit<ClusterRecord, 'extras' | 'lacking'>;

/** Ports, controller and nodes: those the cluster was made with, else those chosen for it before, else chosen now. */
export async function chooseCluster(deps: ChooseDeps): Promise<ChosenCluster> {
  const { app, host, engine, environment, name, found, taken } = deps;
  const record = deps.record?.name === name ? deps.record : undefined;
  const controller = await chooseController();
  const nodes = (found ? record?.nodes : (environment.cluster.nodes ?? record?.nodes)) ?? [];

  const made = { httpPort: found?.httpPort, httpsPort: found?.httpsPort };
  if (made.httpPort !== undefined && made.httpsPort !== undefined) {
    return { name, httpPort: made.httpPort, httpsPort: made.httpsPort, controller, nodes };
  }
  const { httpPort, httpsPort } = record ?? environment.cluster;
  const ports = await choosePorts(
    { http: httpPort, https: httpsPort },
    { taken, lowest: lowestPortOf(engine, host) },
  );
  if (ports.http !== httpPort || ports.https !== httpsPort) {
    const owners = await Promise.all([httpPort, httpsPort].map(describePort));
    app.ui.say(`${owners.filter(Boolean).join(', ')}: using ${ports.http} and ${ports.https} from now on`);
  }
  return { name, httpPort: ports.http, httpsPort: ports.https, controller, nodes };

  /** Who has the port; undefined when nobody listens there. */
  async function describePort(port: number): Promise<string | undefined> {
    const docker = engine && createDocker(engine, app.exec);
    const owner = await findPortOwner(port, { host, docker, exec: app.exec });
    if (owner !== undefined) return `port ${port} is taken by ${owner}`;
    return taken.has(port) ? `port ${port} is kept for a stopped container` : undefined;
  }

  async function chooseController(): Promise<ClusterRecord['controller']> {
    const wanted = environment.ingress.controller;
    if (wanted !== 'auto') return wanted;
    if (record && found) return record.controller;
    return (await canPull('registry.k8s.io', environment, app)) ? 'nginx' : 'traefik';
  }
}
