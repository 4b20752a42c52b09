import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';
import type { Manifest } from './manifest.ts';

/** Finds the API server's path of an object. */
export type FindPath = (
  manifest: Manifest,
  namespace: string,
  signal: AbortSignal,
) => Promise<string | undefined>;

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Finds paths by the API server's discovery; undefined for a kind that it does not have. */
export function createPathFinder(api: Pick<ApiReader, 'get'>): FindPath {
  const lists = new Map<string, Promise<readonly Resource[]>>();

  function listResources(root: string, signal: AbortSignal): Promise<readonly Resource[]> {
    const known = lists.get(root) ?? requestResources(root, signal);
    lists.set(root, known);
    return known;
  }

  async function requestResources(root: string, signal: AbortSignal): Promise<readonly Resource[]> {
    try {
      const { resources } = await api.get<{ readonly resources: readonly Resource[] }>(root, signal);
      // A name with a slash is a subresource, such as a Deployment's scale.
      return resources.filter(({ name }) => !name.includes('/'));
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return [];
      throw error;
    }
  }

  return async ({ apiVersion, kind, metadata }, namespace, signal) => {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await listResources(root, signal)).find((each) => each.kind === kind);
    if (!resource) return undefined;
    const where = resource.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : '';
    return `${root}${where}/${resource.name}/${encodeURIComponent(metadata.name)}`;
  };
}
