import type { App } from '../../../cli/command.ts';
import { controlPlaneOf } from '../../../cluster/ownership.ts';
import { loadCatalog } from '../../../config/catalog.ts';
import type { Environment } from '../../../config/schema.ts';
import { openRecipes } from '../../../images/build/recipes.ts';
import { createImageFinder } from '../../../images/find-image.ts';
import { type Freshness, type Links, toFreshness } from '../../../images/freshness.ts';
import { createImageKeys } from '../../../images/image-keys.ts';
import {
  createServiceSources,
  type ServiceSources,
  type ServiceSourcesDeps,
} from '../../../images/source/service-sources.ts';
import { mergeFolders, type SourceFolder } from '../../../images/source/source-files.ts';
import { openStore } from '../../../images/store/store.ts';
import { Failure } from '../../../lib/failure.ts';
import { imageId } from '../../../lib/oci.ts';
import { ownPlatform } from '../../../lib/platform.ts';
import { type EngineVersion, findEngineVersion } from '../../../machine/engine.ts';
import { readHost } from '../../../machine/host.ts';
import { findImageId } from '../../../tools/docker/image-id.ts';
import { listImageNames } from '../../../tools/docker/node-images.ts';

/** Whether a service runs its current source; undefined for an unknown service. */
export type FindFreshness = (
  service: string,
  running: Pick<Links, 'running' | 'live'>,
  nodeImages: ReadonlySet<string> | undefined,
) => Freshness | undefined;

/** A source, or why it cannot be read. */
type Source = Pick<Links, 'sourceHash' | 'built'> | { readonly problem: string };

/** The engine; undefined when it does not respond. */
export async function askEngineVersion(signal: AbortSignal): Promise<EngineVersion | undefined> {
  return unlessFailed(signal, async () => findEngineVersion(await readHost(), { signal }));
}

/** The names of the images on a cluster's node; undefined when the node or the engine does not respond. */
export async function findNodeImages(
  engine: EngineVersion | undefined,
  cluster: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  if (!engine) return undefined;
  const node = controlPlaneOf(cluster);
  return unlessFailed(signal, () => listImageNames({ socket: engine.socket, node, signal }));
}

/** The report then says that the images on the node are unknown. */
async function unlessFailed<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Reads the current sources of all services and the images built from them. Changes nothing. */
export async function readFreshness(
  { paths, signal }: Pick<App, 'paths' | 'signal'>,
  environment: Environment,
  engine: Pick<EngineVersion, 'arch' | 'socket'> | undefined,
): Promise<FindFreshness> {
  const architecture = engine?.arch ?? ownPlatform().architecture;
  // Without an engine nothing runs whose source could be compared.
  const findId = async (reference: string) => engine && findImageId(engine.socket, reference, signal);
  const found = await readSources(paths, { environment, architecture, findImageId: shareAnswers(findId) });
  return (service, running, nodeImages) => {
    const source = found.get(service);
    if (!source) return undefined;
    if ('problem' in source) return { state: 'stale', broken: 'built', line: source.problem };
    const isLoaded = source.built && nodeImages?.has(source.built.reference);
    return toFreshness({ ...source, isLoaded, ...running });
  };
}

/** The folders of the sources of all services, for a watch; without those that cannot be read now. */
export async function listSourceFolders(
  paths: App['paths'],
  environment: Environment,
): Promise<readonly SourceFolder[]> {
  const { architecture } = ownPlatform();
  const sources = await openSources(paths, { environment, architecture, findImageId: async () => undefined });
  const listed = await Promise.allSettled(Object.keys(environment.services).map(sources.listFolders));
  const failed = listed.find((each) => each.status === 'rejected' && !(each.reason instanceof Failure));
  if (failed?.status === 'rejected') throw failed.reason;
  return mergeFolders(listed.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])));
}

type SourceDeps = Pick<ServiceSourcesDeps, 'environment' | 'architecture' | 'findImageId'>;

async function openSources({ checkout, cache }: App['paths'], deps: SourceDeps): Promise<ServiceSources> {
  const { architecture } = deps;
  const store = openStore(cache);
  const catalog = await loadCatalog(checkout);
  const keys = createImageKeys(catalog, openRecipes({ checkout, architecture }));
  const find = createImageFinder({ catalog, keys, store });
  let base: ReturnType<typeof find> | undefined;
  const findBase = () => {
    base ??= find('service-base');
    return base;
  };
  return createServiceSources({ ...deps, checkout, store, findBase });
}

async function readSources(paths: App['paths'], deps: SourceDeps): Promise<ReadonlyMap<string, Source>> {
  const sources = await openSources(paths, deps);
  const read = async (name: string): Promise<Source> => {
    try {
      const [{ hash: sourceHash }, image] = await Promise.all([sources.get(name), sources.find(name)]);
      return { sourceHash, built: image && { reference: image.reference, id: imageId(image.image) } };
    } catch (error) {
      if (error instanceof Failure) return { problem: error.message };
      throw error;
    }
  };
  const names = Object.keys(deps.environment.services);
  return new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

/** Asks once for each name: many services have the same base image. */
function shareAnswers<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name) => {
    const answer = known.get(name) ?? ask(name);
    known.set(name, answer);
    return answer;
  };
}
