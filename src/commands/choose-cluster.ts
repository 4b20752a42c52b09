import type { FoundCluster } from '../cluster/ownership.ts';
import type { Environment } from '../config/schema.ts';
import { choosePorts } from '../machine/ports.ts';
import type { ClusterRecord } from '../state/cluster-record.ts';
import { canPull } from './can-pull.ts';
import type { App } from './command.ts';

export interface ChooseParts {
  readonly app: Pick<App, 'signal' | 'ui'>;
  readonly environment: Environment;
  readonly name: string;
  /** What an earlier run chose for the cluster of this checkout. */
  readonly record: ClusterRecord | undefined;
  /** The cluster of this name, where there is one. */
  readonly found: FoundCluster | undefined;
  /** Ports of this machine that clusters have, which are stopped as well. */
  readonly taken: ReadonlySet<number>;
}

/** Ports and controller: those the cluster was made with, else those chosen for it before, else chosen now. */
export async function chooseCluster(parts: ChooseParts): Promise<ClusterRecord> {
  const { app, environment, name, found, taken } = parts;
  const record = parts.record?.name === name ? parts.record : undefined;
  const controller = await chooseController();

  const made = { httpPort: found?.httpPort, httpsPort: found?.httpsPort };
  if (made.httpPort !== undefined && made.httpsPort !== undefined) {
    return { name, httpPort: made.httpPort, httpsPort: made.httpsPort, controller };
  }
  const { httpPort, httpsPort } = record ?? environment.cluster;
  const { http, https } = await choosePorts({ http: httpPort, https: httpsPort }, { taken });
  if (http !== httpPort || https !== httpsPort) {
    app.ui.say(
      `ports ${httpPort} and ${httpsPort} are not both free: using ${http} and ${https} from now on`,
    );
  }
  return { name, httpPort: http, httpsPort: https, controller };

  async function chooseController(): Promise<ClusterRecord['controller']> {
    const wanted = environment.ingress.controller;
    if (wanted !== 'auto') return wanted;
    if (record && found) return record.controller;
    return (await canPull('registry.k8s.io', environment, app)) ? 'nginx' : 'traefik';
  }
}
