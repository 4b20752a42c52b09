import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';
import { kubeconfigOf, kubectlOf } from './cluster.ts';

/** One request to be authorized. */
export interface Access {
  readonly verb: string;
  readonly group: string;
  /** The resource with its subresource, such as `pods/exec`. */
  readonly resource: string;
  /** Undefined for cluster-wide resources. */
  readonly namespace?: string | undefined;
}

export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Namespaced resources by API group. */
const namespaced: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...['pods', 'pods/log', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers'],
    ...['pods/eviction', 'services', 'configmaps', 'secrets', 'serviceaccounts', 'serviceaccounts/token'],
    ...['persistentvolumeclaims', 'events', 'resourcequotas'],
  ],
  apps: ['deployments', 'deployments/scale', 'statefulsets', 'replicasets', 'daemonsets'],
  batch: ['jobs', 'cronjobs'],
  'networking.k8s.io': ['ingresses', 'networkpolicies'],
  'rbac.authorization.k8s.io': ['roles', 'rolebindings'],
  autoscaling: ['horizontalpodautoscalers'],
  policy: ['poddisruptionbudgets'],
};

const clusterWide: Readonly<Record<string, readonly string[]>> = {
  '': ['namespaces', 'nodes', 'persistentvolumes'],
  'rbac.authorization.k8s.io': ['clusterroles', 'clusterrolebindings'],
};

/** Every verb on every resource, in these namespaces and cluster-wide. */
export function listAccess(namespaces: readonly string[]): readonly Access[] {
  const each = (resources: typeof namespaced, namespace?: string) =>
    Object.entries(resources).flatMap(([group, names]) =>
      names.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource, namespace }))),
    );
  return [...namespaces.flatMap((namespace) => each(namespaced, namespace)), ...each(clusterWide)];
}

/** Selects the requests that a member of this group is allowed to make. */
export async function listAllowed(
  checkout: Checkout,
  member: string,
  requests: readonly Access[],
): Promise<readonly Access[]> {
  const reviews = requests.map(({ verb, group, resource: path, namespace }) => {
    const [resource, subresource] = path.split('/');
    return {
      ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
      spec: {
        ...{ user: 'ada', groups: [member, 'system:authenticated'] },
        resourceAttributes: { verb, group, resource, subresource, namespace },
      },
    };
  });
  const { stdout } = await exec(
    kubectlOf(checkout),
    [
      ...[`--kubeconfig=${kubeconfigOf(checkout)}`, 'create', '--validate=ignore', '--filename=-'],
      '--output=jsonpath={.status.allowed}{"\\n"}',
    ],
    { input: reviews.map((review) => JSON.stringify(review)).join('\n---\n') },
  );
  const results = stdout.split('\n').filter(Boolean);
  if (results.length !== requests.length)
    throw new Error(`${results.length} results for ${requests.length} requests`);
  return requests.filter((_, at) => results[at] === 'true');
}
