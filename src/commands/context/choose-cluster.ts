import type { App } from '../../cli/command.ts';
import type { FoundCluster } from '../../cluster/ownership.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { canPull } from '../../images/can-pull.ts';
import type { Engine } from '../../machine/engine.ts';
import type { Host } from '../../machine/host.ts';
import { findPortOwner } from '../../machine/port-owner.ts';
import { findReservation, reservePorts, toIsReserved } from '../../machine/port-reservation.ts';
import { choosePorts, lowestPortOf } from '../../machine/ports.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { isServedOnIpv6 } from '../../tools/port-probe.ts';

export interface ChooseDeps {
  readonly app: Pick<App, 'paths' | 'signal' | 'ui' | 'exec'>;
  readonly host: Host;
  readonly engine: Engine | undefined;
  readonly environment: LocalEnvironment;
  readonly name: string;
  /** What an earlier run has recorded for this checkout's cluster. */
  readonly record: ClusterRecord | undefined;
  /** The existing cluster of this name. */
  readonly found: FoundCluster | undefined;
  /** Host ports published by any container, running or stopped. */
  readonly taken: ReadonlySet<number>;
  /** Keeps other runs from choosing the same ports until this process ends. */
  readonly reserves: boolean;
}

/** What is fixed until the cluster is removed. */
export type ChosenCluster = Omit<ClusterRecord, 'extras' | 'lacking'>;

/** Ports, ingress controller and nodes: those of the existing cluster, else the recorded ones, else chosen now. */
export async function chooseCluster(deps: ChooseDeps): Promise<ChosenCluster> {
  const { app, host, engine, environment, name, found, taken, reserves } = deps;
  const { cache } = app.paths;
  const record = deps.record?.name === name ? deps.record : undefined;
  const controller = await chooseController();
  const nodes = (found ? record?.nodes : (environment.cluster.nodes ?? record?.nodes)) ?? [];

  const made = { httpPort: found?.httpPort, httpsPort: found?.httpsPort };
  if (made.httpPort !== undefined && made.httpsPort !== undefined) {
    await warnOfIpv6(made.httpPort);
    return { name, httpPort: made.httpPort, httpsPort: made.httpsPort, controller, nodes };
  }
  const { httpPort, httpsPort } = record ?? environment.cluster;
  const wanted = { http: httpPort, https: httpsPort };
  const options = { taken, lowest: lowestPortOf(engine, host) };
  const ports = reserves
    ? await reservePorts(wanted, { ...options, cache, signal: app.signal })
    : await choosePorts(wanted, { ...options, isReserved: toIsReserved(cache) });
  if (ports.http !== httpPort || ports.https !== httpsPort) {
    const owners = await Promise.all([httpPort, httpsPort].map(describePort));
    app.ui.say(`${owners.filter(Boolean).join(', ')}: using ${ports.http} and ${ports.https} from now on`);
  }
  return { name, httpPort: ports.http, httpsPort: ports.https, controller, nodes };

  /** The cluster has the port of 127.0.0.1, but a browser that is sent to `localhost` may ask `::1` first. */
  async function warnOfIpv6(port: number): Promise<void> {
    if (!(await isServedOnIpv6(port))) return;
    const owner = await findPortOwner(port, { host, exec: app.exec, ipv6Only: true });
    app.ui.warn(
      `${owner ?? 'another program'} listens on [::1]:${port}: localhost may lead there, http://127.0.0.1:${port} leads to the cluster`,
    );
  }

  /** Who uses the port; undefined when it is free. */
  async function describePort(port: number): Promise<string | undefined> {
    const docker = engine && createDocker(engine, app.exec);
    const owner = await findPortOwner(port, { host, docker, exec: app.exec });
    if (owner !== undefined) return `port ${port} is already in use by ${owner}`;
    const run = await findReservation(cache, port);
    if (run) return `port ${port} is reserved by process ${run.pid}, which is creating a cluster`;
    return taken.has(port) ? `port ${port} is reserved by a stopped container` : undefined;
  }

  async function chooseController(): Promise<ClusterRecord['controller']> {
    const wanted = environment.ingress.controller;
    if (wanted !== 'auto') return wanted;
    if (record && found) return record.controller;
    return (await canPull('registry.k8s.io', environment, app)) ? 'nginx' : 'traefik';
  }
}
