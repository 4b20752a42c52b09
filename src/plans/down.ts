import type { FoundCluster } from '../cluster/ownership.ts';
import type { Plan } from '../plan/plan.ts';
import { deleteCluster } from '../steps/delete-cluster.ts';
import { deleteData } from '../steps/delete-data.ts';
import { stopCluster } from '../steps/stop-cluster.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import type { VolumeFolders } from '../tools/volume-folders.ts';

export interface DownChoice {
  readonly cluster: FoundCluster | undefined;
  readonly checkoutId: string;
  /** Path of the kubeconfig to remove with the cluster; undefined when it is another cluster's. */
  readonly kubeconfig: string | undefined;
  /** stop: only stops the nodes. data: also deletes the volumes and the secrets for them, which are in `data`. */
  readonly extent: 'stop' | 'cluster' | 'data';
  readonly data: string;
  readonly volumes: Pick<VolumeFolders, 'erase'>;
}

/** Stops the cluster's nodes, deletes the cluster, or deletes the cluster and its data. */
export function planDown(toolchain: Pick<Toolchain, 'docker'>, choice: DownChoice): Plan {
  const { cluster, extent, data, volumes } = choice;
  const steps = cluster
    ? [extent === 'stop' ? stopCluster(toolchain, cluster) : deleteCluster(toolchain, cluster, choice)]
    : [];
  return [
    { title: 'Cluster', steps },
    ...(extent === 'data' ? [{ title: 'Data', steps: [deleteData(data, volumes)] }] : []),
  ];
}
