import { instanceLabel } from '../../src/lib/labels.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import type { Deployment, Service } from '../../src/tools/kubernetes/objects.ts';
import { makePod, makeStatus, ready } from './cluster-objects.ts';

export const place = { namespace: 'wealist-kind-local', name: 'board-service' };

type ObjectOf = Record<string, unknown>;

const isObject = (value: unknown): value is ObjectOf =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As a strategic merge patch: null removes a field, lists of named objects are merged by name. */
export function mergePatch(before: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && patch.every((each) => isObject(each) && 'name' in each)) {
    const list = Array.isArray(before) ? [...before] : [];
    for (const each of patch) {
      const at = list.findIndex(({ name }) => name === each.name);
      if (each.$patch === 'delete') list.splice(at, at === -1 ? 0 : 1);
      else if (at === -1) list.push(each);
      else list[at] = mergePatch(list[at], each);
    }
    return list;
  }
  if (!isObject(patch)) return patch;
  const result: ObjectOf = isObject(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/**
 * A cluster in memory with one service: its Service, Deployment and pod, and EndpointSlices that follow the Service's
 * selector. A pod that is created starts at once.
 */
export function createServiceCluster({ container = {} }: { readonly container?: object } = {}) {
  const { namespace, name } = place;
  const inNamespace = (group: string, plural: string) => `/${group}/namespaces/${namespace}/${plural}`;
  const services = inNamespace('api/v1', 'services');
  const deployments = inNamespace('apis/apps/v1', 'deployments');
  const pods = inNamespace('api/v1', 'pods');
  const metadata = { namespace, uid: 'uid', creationTimestamp: '' };
  const selector = { 'app.kubernetes.io/name': name, [instanceLabel]: name };
  const ownPod = makePod(`${name}-a`, `${name}-1`, {
    labels: selector,
    conditions: ready,
    podIP: '10.0.0.1',
    containerStatuses: makeStatus({ name, ready: true }),
  });
  const objects = new Map<string, object>([
    [`${services}/${name}`, { metadata: { ...metadata, name }, spec: { selector, ports: [{ port: 8000 }] } }],
    [
      `${deployments}/${name}`,
      {
        metadata: { ...metadata, name },
        spec: { template: { spec: { containers: [{ name, image: 'board:1', ...container }] } } },
      },
    ],
    [`${pods}/${name}-a`, ownPod],
  ]);
  const requests: string[] = [];
  const unrouted: (readonly string[])[] = [];
  const fake = {
    /** Whether EndpointSlices follow the Service. */
    follows: true,
    /** The status of a pod that is created. */
    started: true,
  };
  let followed: Readonly<Record<string, string>> = selector;

  function listEndpoints() {
    const service = objects.get(`${services}/${name}`) as { spec: { selector: Record<string, string> } };
    if (fake.follows) followed = service.spec.selector;
    return [...objects.entries()]
      .filter(([path]) => path.startsWith(`${pods}/`))
      .map(([, pod]) => pod as ReturnType<typeof makePod>)
      .filter(({ metadata: { labels = {} } }) =>
        Object.entries(followed).every(([key, value]) => labels[key] === value),
      )
      .map((pod) => ({ conditions: { ready: true }, targetRef: { name: pod.metadata.name } }));
  }

  function get(path: string): unknown {
    const [plain = ''] = path.split('?');
    if (plain.endsWith('/endpointslices')) return { items: [{ endpoints: listEndpoints() }] };
    const found = objects.get(plain);
    if (found) return found;
    const items = [...objects].filter(([each]) => each.startsWith(`${plain}/`)).map(([, object]) => object);
    if (items.length > 0 || [services, deployments, pods].includes(plain) || plain.endsWith('sets'))
      return { items };
    throw new ApiFailure(`${plain} not found`, { status: 404 });
  }

  const api: Pick<ApiServer, 'get' | 'patch' | 'create' | 'remove'> = {
    get: async <T>(path: string) => get(path) as T,
    async patch<T>(path: string, change: object) {
      requests.push(`PATCH ${path.split('/').at(-1)}`);
      objects.set(path, mergePatch(get(path), change) as object);
      return objects.get(path) as T;
    },
    async create(collection, object) {
      const created = object as { readonly metadata: { readonly name: string } };
      const path = `${collection}/${created.metadata.name}`;
      requests.push(`POST ${collection.split('/').at(-1)}`);
      if (objects.has(path)) return false;
      const status = { containerStatuses: [{ name: 'agent', started: fake.started }], podIP: '10.0.0.2' };
      objects.set(path, collection === pods ? { ...created, status } : created);
      return true;
    },
    async remove(path) {
      const [plain = ''] = path.split('?');
      requests.push(`DELETE ${plain.split('/').slice(-2).join('/')}`);
      objects.delete(plain);
    },
  };

  return Object.assign(fake, {
    place,
    objects,
    /** Method and resource of each request that changes something, in order. */
    requests,
    /** Addresses that no node was to route to any more, in order. */
    unrouted,
    deps: {
      api: api as ApiServer,
      nodeNames: ['node'],
      nodes: {
        async waitUntilUnrouted(_node: string, addresses: Promise<readonly string[]>) {
          unrouted.push(await addresses);
        },
      },
      place,
    },
    service: () => get(`${services}/${name}`) as Service,
    deployment: () => get(`${deployments}/${name}`) as Deployment,
    /** Names of the pods. */
    pods: () =>
      [...objects.keys()].filter((path) => path.startsWith(`${pods}/`)).map((path) => path.split('/').at(-1)),
    change(kind: 'services' | 'deployments', patch: object): void {
      const path = `${kind === 'services' ? services : deployments}/${name}`;
      objects.set(path, mergePatch(objects.get(path), patch) as object);
    },
  });
}
