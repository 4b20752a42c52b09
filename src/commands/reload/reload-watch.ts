import { relative } from 'node:path';
import type { App } from '../../cli/command.ts';
import { isInside } from '../../config/folders.ts';
import type { Environment } from '../../config/schema.ts';
import { getService } from '../../config/services.ts';
import type { ServiceImage, SourceFolder } from '../../images/build/service-image.ts';
import { readLiveSource, readTopLayer } from '../../images/source/live-source.ts';
import { listChanged, type SourceState } from '../../images/source/source-state.ts';
import { watchSources } from '../../images/source/watch-sources.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask, type RestartableTask } from '../../lib/restartable-task.ts';
import { shareLock, type WithLock } from '../../lib/share-lock.ts';
import { findRunningImage, type ReloadServiceDeps, reload } from '../../steps/reload-service.ts';
import { type LiveState, updateLive } from '../../steps/update-live.ts';
import { describeFailure, toFailureValue } from '../../ui/failure.ts';
import { toReloadLine, toSeconds } from './reload-line.ts';

export interface WatchDeps {
  readonly app: App;
  readonly environment: Environment;
  /** Everything for one reload: each sees the source as it is then. */
  readonly connect: () => ReloadServiceDeps;
}

interface Watched {
  readonly name: string;
  readonly folders: readonly SourceFolder[];
  readonly latest: RestartableTask;
  /** On the monotonic clock: when something was saved last. */
  since: number;
  /** What is being worked on, or was last: the hash of that source; undefined when it could not be read. */
  hash: string | undefined;
}

/** What the pods of a service have: all of this source, in their image or over it. */
interface Brought {
  readonly source: SourceState;
  readonly live: LiveState;
}

/**
 * Reloads services now and on every save, until the signal is aborted: straight into the running containers where a
 * service allows that and nothing else has changed, else by an image. What fails is told of, and the next save tried.
 * @throws {Failure} when the folders cannot be watched.
 */
export async function watchServices(deps: WatchDeps, names: readonly string[]): Promise<void> {
  const { app, connect } = deps;
  const { ui } = app;
  const bug = new AbortController();
  const signal = AbortSignal.any([app.signal, bug.signal]);
  const hold = shareLock((work) => app.exclusively(work, { wait: true }));
  const images = connect().serviceImages;
  const services = await Promise.all(names.map(async (name) => watch(name, await images.listFolders(name))));

  function watch(name: string, folders: readonly SourceFolder[]): Watched {
    const work = createWork(deps, hold, () => service);
    const latest = createRestartableTask(work, { signal, onError: (error) => bug.abort(error) });
    const service: Watched = { name, folders, latest, since: performance.now(), hash: undefined };
    return service;
  }

  const folders = new Map<string, SourceFolder[]>();
  for (const each of services.flatMap((service) => service.folders)) {
    folders.set(each.folder, [...(folders.get(each.folder) ?? []), each]);
  }
  const watched = [...folders].map(([folder, all]) => ({
    folder,
    isSource: (path: string) => all.some(({ isSource }) => isSource(path)),
  }));
  const onWatching = () => {
    ui.say(`watching ${names.join(', ')} until Ctrl-C`);
    for (const { latest } of services) latest.restart();
  };
  try {
    for await (const { paths, since } of watchSources(watched, { signal, onWatching })) {
      await Promise.all(services.map((service) => take(service, paths, since)));
    }
    signal.throwIfAborted();
  } finally {
    await Promise.all(services.map(({ latest }) => latest.idle()));
  }

  async function take(service: Watched, paths: ReadonlySet<string>, since: number): Promise<void> {
    if (paths.size > 0 && ![...paths].some((path) => isSourceOf(service, path))) return;
    // Saved again as it was, or the second half of one save: what is at work for it goes on.
    if ((await findHash(service.name)) === service.hash) return;
    service.since = since;
    service.latest.restart();
  }

  /** Undefined for a source that cannot be read as it is now: whoever works on it tells why. */
  async function findHash(name: string): Promise<string | undefined> {
    try {
      return (await connect().serviceImages.readSource(name)).hash;
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }
}

const contains = ({ folder }: SourceFolder, path: string) => isInside(folder, path);

function isSourceOf({ folders }: Watched, path: string): boolean {
  return folders.some((each) => contains(each, path) && each.isSource(relative(each.folder, path)));
}

/** What tools make beside a source goes into the image and is no reason for one. */
function isMade(service: Watched, path: string): boolean {
  return service.folders.some((each) => contains(each, path)) && !isSourceOf(service, path);
}

/**
 * What brings a service's source of now into its pods, knowing what it brought there before. The difference is that of
 * the two sources and not what was told as saved: of files saved together, the first may be told of alone.
 */
function createWork(
  { app, environment, connect }: WatchDeps,
  hold: WithLock,
  getWatched: () => Watched,
): (signal: AbortSignal) => Promise<void> {
  const { ui } = app;
  let brought: Brought | undefined;

  return async (signal) => {
    const service = getWatched();
    const { name, since } = service;
    const deps = connect();
    const run = { signal, report: (line: string) => ui.detail(`${name}: ${line}`) };
    try {
      service.hash = undefined;
      const source = await deps.serviceImages.readSource(name);
      service.hash = source.hash;
      if (!(await bringLive(source))) await hold(() => bringImage(source));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      if (ui.json) ui.result({ version: 1, service: name, error: toFailureValue(error) }, '');
      else ui.warn(`${clock()} ${describeFailure(error, ui.colors)}`);
    }

    /** False when it takes an image. */
    async function bringLive(source: SourceState): Promise<boolean> {
      if (!brought) return false;
      const changed = listChanged(brought.source, source).filter((path) => !isMade(service, path));
      if (changed.length === 0) return false;
      const { checkout } = app.paths;
      const sourceHash = source.hash;
      const liveSource = await readLiveSource({ environment, checkout }, { name, sourceHash, changed });
      if (!liveSource) return false;
      const { api, namespace, toolchain } = deps;
      const { port } = getService(environment, name);
      const { live } = brought;
      const update = await updateLive(
        { api, nodes: toolchain.nodes, place: { namespace, name }, port },
        live,
        { ...liveSource, sourceHash },
        run,
      );
      if (!update) return false;
      brought = { source, live };
      if (update.put === 0) return true;
      const milliseconds = performance.now() - since;
      const { files } = update;
      ui.result(
        { version: 1, service: name, kind: 'live', image: live.image, files, milliseconds },
        `${clock()} ${name} live after ${toSeconds(milliseconds)}: ${files} ${files === 1 ? 'file' : 'files'} over ${live.image}`,
      );
      return true;
    }

    async function bringImage(source: SourceState): Promise<void> {
      const running = await findRunningImage(deps, name, signal);
      const reloaded = running
        ? { service: name, image: running.reference, changed: false, phases: {} }
        : await reload(deps, name, run);
      const image = running ?? (await deps.serviceImages.find(name));
      // Of another source when something was saved while it waited; the next change takes an image then.
      brought = image?.sourceHash === source.hash ? { source, live: await toState(image) } : undefined;
      const milliseconds = performance.now() - since;
      ui.result(
        { version: 1, kind: 'image', ...reloaded, milliseconds },
        `${clock()} ${toReloadLine(reloaded, milliseconds)}`,
      );
    }

    async function toState({ reference, image, isStandIn }: ServiceImage): Promise<LiveState> {
      const base = isStandIn ? await readTopLayer(deps.store, image) : new Map();
      return { image: reference, base, containers: new Map() };
    }
  };
}

const clock = () => new Date().toTimeString().slice(0, 8);
