import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';
import { readDeployedManifests } from './deployed-manifests.ts';
import { compareFields, type FieldChange, listDropped, maskChanges, toFields } from './fields.ts';
import { type Manifest, toKey } from './manifest.ts';
import { createPathFinder } from './object-paths.ts';

/** A release as it would be deployed. */
export interface Rendering {
  readonly release: string;
  readonly namespace: string;
  readonly manifests: readonly Manifest[];
}

export interface ObjectChange {
  readonly release: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** gone: Helm would remove it. refused: the API server rejects it, for the reason in `problem`. */
  readonly change: 'new' | 'changed' | 'gone' | 'same' | 'refused';
  readonly fields: readonly FieldChange[];
  readonly problem?: string;
}

export interface Comparison {
  readonly objects: readonly ObjectChange[];
  /** What could not be compared, and why. */
  readonly notes: readonly string[];
}

type Api = Pick<ApiReader, 'get' | 'dryRun'>;

/**
 * What deploying these releases would change in the cluster, field by field: each object is applied as a server-side dry
 * run, and the result is compared with the current object. Changes nothing.
 * @throws {ApiFailure} when the cluster does not respond.
 */
export async function compareWithCluster(
  renderings: readonly Rendering[],
  api: Api,
  signal: AbortSignal,
): Promise<Comparison> {
  const notes = new Set<string>();
  const findPath = createPathFinder(api);
  const namespaces = [...new Set(renderings.map(({ namespace }) => namespace))];
  const states = new Map(
    await Promise.all(
      namespaces.map(async (namespace) => [namespace, await readNamespace(namespace)] as const),
    ),
  );

  const objects = await Promise.all(
    renderings.map(async ({ release, namespace, manifests }) => {
      const { exists = true, deployed } = states.get(namespace) ?? {};
      const earlier = deployed?.get(release) ?? [];
      const compared: ObjectChange[] = [];
      // One after the other in each release, since a hundred connections at once would delay every response.
      for (const manifest of manifests) {
        const key = toKey(manifest, namespace);
        const before = earlier.find((each) => toKey(each, namespace) === key);
        compared.push(await compareObject(manifest, { release, namespace, exists, earlier: before }));
      }
      const rendered = new Set(manifests.map((manifest) => toKey(manifest, namespace)));
      const gone = earlier.filter((each) => !rendered.has(toKey(each, namespace)));
      return [...compared, ...gone.map((manifest) => toChange(manifest, { release, namespace }, 'gone'))];
    }),
  );
  return { objects: objects.flat(), notes: [...notes] };

  async function readNamespace(namespace: string) {
    const exists = (await find(`/api/v1/namespaces/${namespace}`)) !== undefined;
    if (!exists)
      notes.add(`namespace ${namespace} does not exist yet: its objects were not checked by a dry run`);
    const deployed = exists ? await readDeployed(namespace) : undefined;
    return { exists, deployed };
  }

  async function readDeployed(namespace: string) {
    try {
      return await readDeployedManifests(api, namespace, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      notes.add(
        `which objects would be removed from ${namespace} is unknown: reading Helm's release Secrets is forbidden`,
      );
      return undefined;
    }
  }

  async function compareObject(manifest: Manifest, place: ObjectPlace): Promise<ObjectChange> {
    const { namespace, exists, earlier } = place;
    const path = await findPath(manifest, namespace, signal);
    if (path === undefined) {
      return toChange(manifest, place, 'refused', {
        problem: `no matches for kind ${manifest.kind} in version ${manifest.apiVersion}`,
      });
    }
    // The API server rejects every object of a namespace that does not exist yet.
    if (!exists && path.includes('/namespaces/') && manifest.kind !== 'Namespace')
      return toChange(manifest, place, 'new');
    try {
      const before = await find(path);
      const after = await dryRun(path, manifest, before);
      if (!before) return toChange(manifest, place, 'new');
      const applied = toFields(after);
      const dropped = earlier ? listDropped(toFields(earlier), toFields(manifest), applied) : [];
      const fields = [...compareFields(toFields(before), applied), ...dropped];
      return toChange(manifest, place, fields.length === 0 ? 'same' : 'changed', { fields });
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status === undefined) throw error;
      return toChange(manifest, place, 'refused', { problem: error.message });
    }
  }

  /** The object after a dry run; where that is forbidden, the current object with the manifest merged over it. */
  async function dryRun(path: string, manifest: Manifest, before: object | undefined): Promise<object> {
    try {
      return await api.dryRun<object>(path, manifest, signal);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      notes.add(
        'fields are compared as written in the manifests: a server-side dry run (patch) is forbidden in this cluster',
      );
      return mergeOver(before ?? {}, manifest);
    }
  }

  async function find(path: string): Promise<object | undefined> {
    try {
      return await api.get<object>(path, signal);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    }
  }
}

interface ObjectPlace {
  readonly release: string;
  readonly namespace: string;
  readonly exists: boolean;
  /** The manifest that Helm deployed last. */
  readonly earlier: Manifest | undefined;
}

function toChange(
  manifest: Manifest,
  { release, namespace }: Pick<ObjectPlace, 'release' | 'namespace'>,
  change: ObjectChange['change'],
  { fields = [], problem }: { readonly fields?: readonly FieldChange[]; readonly problem?: string } = {},
): ObjectChange {
  const { kind, metadata } = manifest;
  return {
    release,
    kind,
    name: metadata.name,
    namespace: metadata.namespace ?? namespace,
    change,
    fields: maskChanges(manifest, fields),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Merges `upper` over `lower`: maps by key, lists of named items by name; any other value is replaced. */
function mergeOver(lower: unknown, upper: unknown): object {
  return merge(lower, upper) as object;
}

function merge(lower: unknown, upper: unknown): unknown {
  if (Array.isArray(lower) && Array.isArray(upper)) {
    return upper.map((item) => {
      const below = lower.find((each) => each?.name !== undefined && each?.name === item?.name);
      return below === undefined ? item : merge(below, item);
    });
  }
  if (!isMap(lower) || !isMap(upper)) return upper;
  const merged = new Map(Object.entries(lower));
  for (const [key, value] of Object.entries(upper)) merged.set(key, merge(merged.get(key), value));
  return Object.fromEntries(merged);
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isForbidden(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 403;
}
