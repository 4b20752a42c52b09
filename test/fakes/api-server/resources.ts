/** Resources of the fake API server, by the root of their paths: kind, plural name, and whether it is namespaced. */
const resources: Readonly<
  Record<string, readonly (readonly [kind: string, name: string, namespaced: boolean])[]>
> = {
  '/api/v1': [
    ['Namespace', 'namespaces', false],
    ['Node', 'nodes', false],
    ['ConfigMap', 'configmaps', true],
    ['Event', 'events', true],
    ['PersistentVolumeClaim', 'persistentvolumeclaims', true],
    ['Pod', 'pods', true],
    ['Secret', 'secrets', true],
    ['Service', 'services', true],
  ],
  '/apis/apps/v1': [
    ['DaemonSet', 'daemonsets', true],
    ['Deployment', 'deployments', true],
    ['ReplicaSet', 'replicasets', true],
    ['StatefulSet', 'statefulsets', true],
  ],
  '/apis/batch/v1': [['Job', 'jobs', true]],
  '/apis/discovery.k8s.io/v1': [['EndpointSlice', 'endpointslices', true]],
  '/apis/networking.k8s.io/v1': [
    ['Ingress', 'ingresses', true],
    ['NetworkPolicy', 'networkpolicies', true],
  ],
};

/** The discovery document of an API group; undefined when the group does not exist. */
export function discover(path: string): object | undefined {
  const list = resources[path];
  return list && { resources: list.map(([kind, name, namespaced]) => ({ name, kind, namespaced })) };
}

export interface ApiObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The path of an object, such as `/apis/apps/v1/namespaces/shop/deployments/cart`. */
export function toPath({ kind, metadata }: ApiObject): string {
  for (const [root, list] of Object.entries(resources)) {
    const [, name, namespaced] = list.find((resource) => resource[0] === kind) ?? [];
    if (name === undefined) continue;
    const scope = namespaced ? `/namespaces/${metadata.namespace}` : '';
    return `${root}${scope}/${name}/${metadata.name}`;
  }
  throw new Error(`the fake API server has no ${kind}`);
}

const listPath = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)$/;

/** Which objects a path lists, by their paths; undefined when the path is not that of a list. */
export function parseListPath(path: string): ((objectPath: string) => boolean) | undefined {
  const [, root = '', namespace, name = ''] = listPath.exec(path) ?? [];
  const [, , namespaced] = resources[root]?.find((resource) => resource[1] === name) ?? [];
  if (namespaced === undefined) return undefined;
  return (objectPath) => {
    const parent = objectPath.slice(0, objectPath.lastIndexOf('/'));
    if (!namespaced || namespace !== undefined) return parent === path;
    return parent.startsWith(`${root}/namespaces/`) && parent.endsWith(`/${name}`);
  };
}
