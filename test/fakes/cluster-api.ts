import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import type { Manifest } from '../../src/diff/manifest.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';

/** Kinds that the fake knows, by the root of their paths. */
const resources: Readonly<Record<string, readonly (readonly [string, string, boolean])[]>> = {
  '/api/v1': [
    ['namespaces', 'Namespace', false],
    ['configmaps', 'ConfigMap', true],
    ['secrets', 'Secret', true],
  ],
  '/apis/apps/v1': [['deployments', 'Deployment', true]],
};

/**
 * The API server's answers to questions about single objects, with defaults as it would add them; a dry run leaves it as
 * it is. `denied` says which questions the person has no right to.
 */
export function createClusterApi(
  objects: Map<string, object>,
  {
    denied = () => false,
    refuse = () => undefined,
  }: {
    readonly denied?: (method: 'GET' | 'PATCH', path: string) => boolean;
    readonly refuse?: (path: string) => string | undefined;
  } = {},
) {
  const asked: string[] = [];
  function check(method: 'GET' | 'PATCH', path: string): void {
    asked.push(`${method} ${path}`);
    if (denied(method, path)) throw new ApiFailure('you cannot do that', { status: 403 });
  }
  return {
    asked,
    async get<T>(path: string): Promise<T> {
      check('GET', path);
      const known = resources[path];
      if (known) {
        return { resources: known.map(([name, kind, namespaced]) => ({ name, kind, namespaced })) } as T;
      }
      const [plain = '', query] = path.split('?');
      if (query !== undefined) {
        const items = [...objects].filter(([place]) => place.startsWith(`${plain}/sh.helm.release`));
        return { items: items.map(([, object]) => object) } as T;
      }
      const found = objects.get(path);
      if (!found) throw new ApiFailure(`${path} not found`, { status: 404 });
      return structuredClone(found) as T;
    },
    async dryRun<T>(path: string, object: object): Promise<T> {
      check('PATCH', path);
      const problem = refuse(path);
      if (problem !== undefined) throw new ApiFailure(problem, { status: 422 });
      const before = objects.get(path) ?? {};
      return { ...before, ...object, metadata: withServersOwn(object), ...keptData(before, object) } as T;
    },
  };

  /** As server-side apply does: keys that another one owns stay. */
  function keptData(before: object, after: object): object {
    const [one, other] = [before, after].map((object) => (object as { data?: object }).data);
    return one || other ? { data: { ...one, ...other } } : {};
  }
}

function withServersOwn(object: object): object {
  const { metadata } = object as { readonly metadata?: object };
  return { ...metadata, resourceVersion: '99', managedFields: [] };
}

/** Helm's record of a release, as it keeps it in a Secret. */
export function toHelmRecord(release: string, manifests: readonly Manifest[]): object {
  const manifest = manifests.map((each) => stringify(each)).join('---\n');
  const packed = gzipSync(JSON.stringify({ name: release, manifest })).toString('base64');
  return {
    metadata: { labels: { owner: 'helm', name: release, status: 'deployed' } },
    data: { release: Buffer.from(packed).toString('base64') },
  };
}
