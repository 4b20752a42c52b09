import type { FoundCluster } from '../cluster/ownership.ts';
import type { Plan } from '../plan/plan.ts';
import { deleteCluster } from '../steps/delete-cluster.ts';
import { deleteData } from '../steps/delete-data.ts';
import { stopCluster } from '../steps/stop-cluster.ts';
import type { Toolchain } from '../tools/toolchain.ts';

export interface DownChoice {
  readonly cluster: FoundCluster | undefined;
  readonly checkoutId: string;
  /** What is removed with the cluster; undefined when it is another cluster's. */
  readonly kubeconfig: string | undefined;
  /** stop: the node only. data: also the volumes and the secrets that open them, in this folder. */
  readonly extent: 'stop' | 'cluster' | 'data';
  readonly data: string;
}

/** Takes down what `up` made: the node's container, the cluster, or the cluster and its data. */
export function planDown(toolchain: Pick<Toolchain, 'docker'>, choice: DownChoice): Plan {
  const { cluster, extent, data } = choice;
  const steps = cluster
    ? [extent === 'stop' ? stopCluster(toolchain, cluster) : deleteCluster(toolchain, cluster, choice)]
    : [];
  return [
    { title: 'Cluster', steps },
    ...(extent === 'data' ? [{ title: 'Data', steps: [deleteData(data)] }] : []),
  ];
}
