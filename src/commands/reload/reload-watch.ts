import { relative } from 'node:path';
import type { App } from '../../cli/command.ts';
import { isInside } from '../../config/folders.ts';
import type { Environment } from '../../config/schema.ts';
import { getService } from '../../config/services.ts';
import type { ServiceImage } from '../../images/build/service-image.ts';
import { readLiveSource, readTopLayer } from '../../images/source/live-source.ts';
import { mergeFolders, type SourceFolder } from '../../images/source/source-files.ts';
import { listSaved, type SourceState } from '../../images/source/source-state.ts';
import { watchSources } from '../../images/source/watch-sources.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask, type RestartableTask } from '../../lib/restartable-task.ts';
import { shareLock, type WithLock } from '../../lib/share-lock.ts';
import type { Run } from '../../plan/plan.ts';
import { type LiveState, putLiveFiles } from '../../steps/put-live-files.ts';
import { findRunningImage, type ReloadServiceDeps, reload } from '../../steps/reload-service.ts';
import { describeFailure, toFailureValue } from '../../ui/failure.ts';
import { toReloadLine, toSeconds } from './reload-line.ts';

export interface WatchDeps {
  readonly app: App;
  readonly environment: Environment;
  /** Dependencies of one reload, which reads the source that is current at the time of the call. */
  readonly connect: () => Promise<ReloadServiceDeps>;
}

interface WatchedService {
  readonly name: string;
  readonly folders: readonly SourceFolder[];
  readonly latest: RestartableTask;
  /** Time of the last save, in milliseconds of the monotonic clock. */
  savedAt: number;
  /** The source of the current or last reload; undefined if it could not be read. */
  source: SourceState | undefined;
}

/** What the pods of a service run: this source, from their image or from live files. */
interface Deployed {
  readonly source: SourceState;
  readonly live: LiveState;
}

/**
 * Reloads services now and on every save, until the signal is aborted. If only files of live folders have changed, they
 * are copied into the running containers; otherwise an image is built. Failures are printed, and the next save is tried.
 * @throws {Failure} when the folders cannot be watched.
 */
export async function watchServices(deps: WatchDeps, names: readonly string[]): Promise<void> {
  const { app, connect } = deps;
  const { ui } = app;
  const bug = new AbortController();
  const signal = AbortSignal.any([app.signal, bug.signal]);
  const withLock = shareLock((work) => app.exclusively(work, { wait: true, usesCache: true }));
  const { serviceImages: images } = await connect();
  const services = await Promise.all(names.map(async (name) => watch(name, await images.listFolders(name))));

  function watch(name: string, folders: readonly SourceFolder[]): WatchedService {
    const reloadService = createReload(deps, withLock, () => service);
    const latest = createRestartableTask(reloadService, { signal, onError: (error) => bug.abort(error) });
    const service: WatchedService = { name, folders, latest, savedAt: performance.now(), source: undefined };
    return service;
  }

  const watched = mergeFolders(services.flatMap((service) => service.folders));
  const onWatching = () => {
    ui.say(`watching ${names.join(', ')} until Ctrl-C`);
    for (const { latest } of services) latest.restart();
  };
  try {
    for await (const { paths, since } of watchSources(watched, { signal, onWatching })) {
      await Promise.all(services.map((service) => requestReload(service, paths, since)));
    }
    signal.throwIfAborted();
  } finally {
    await Promise.all(services.map(({ latest }) => latest.idle()));
  }

  async function requestReload(
    service: WatchedService,
    paths: ReadonlySet<string>,
    since: number,
  ): Promise<void> {
    if (paths.size > 0 && ![...paths].some((path) => isSourceOf(service, path))) return;
    const now = await findSource(service.name);
    // Saved without a change, or a further event of one save: the current reload continues.
    const isKnown =
      now && service.source ? listSaved(service.source, now).length === 0 : now === service.source;
    if (isKnown) return;
    service.savedAt = since;
    service.latest.restart();
  }

  /** Undefined for a source that cannot be read; the reload prints why. */
  async function findSource(name: string): Promise<SourceState | undefined> {
    try {
      return await (await connect()).serviceImages.readSource(name);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }
}

const contains = ({ folder }: SourceFolder, path: string) => isInside(folder, path);

function isSourceOf({ folders }: WatchedService, path: string): boolean {
  return folders.some((each) => contains(each, path) && each.isSource(relative(each.folder, path)));
}

/**
 * Returns a function that brings a service's current source into its pods. It compares the source with the previously
 * deployed one, since the event for the first of several saved files may arrive alone.
 */
function createReload(
  { app, environment, connect }: WatchDeps,
  withLock: WithLock,
  getWatched: () => WatchedService,
): (signal: AbortSignal) => Promise<void> {
  const { ui } = app;
  let deployed: Deployed | undefined;
  let deps: ReloadServiceDeps;

  return async (signal) => {
    const service = getWatched();
    const { name, savedAt } = service;
    try {
      service.source = undefined;
      deps = await connect();
      const source = await deps.serviceImages.readSource(name);
      service.source = source;
      await deps.watch(signal, async (limited) => {
        const run = { signal: limited, report: (line: string) => ui.detail(`${name}: ${line}`) };
        if (!(await updateLiveFiles(source, run))) await withLock(() => updateImage(source, run));
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      if (ui.json) ui.result({ version: 1, service: name, error: toFailureValue(error) }, '');
      else ui.warn(`${clock()} ${describeFailure(error, ui.colors)}`);
    }

    /** Resolves to false when a new image is required. */
    async function updateLiveFiles(source: SourceState, run: Run): Promise<boolean> {
      if (!deployed) return false;
      const changed = listSaved(deployed.source, source);
      if (changed.length === 0) return false;
      const { checkout } = app.paths;
      const sourceHash = source.hash;
      const liveSource = await readLiveSource({ environment, checkout }, { name, sourceHash, changed });
      if (!liveSource) return false;
      const { api, namespace, toolchain } = deps;
      const { port } = getService(environment, name);
      const { live } = deployed;
      const update = await putLiveFiles(
        { api, nodes: toolchain.nodes, place: { namespace, name }, port },
        live,
        { ...liveSource, sourceHash },
        run,
      );
      if (!update) return false;
      deployed = { source, live };
      if (update.put === 0) return true;
      const milliseconds = performance.now() - savedAt;
      const { files } = update;
      ui.result(
        { version: 1, service: name, kind: 'live', image: live.image, files, milliseconds },
        `${clock()} ${name} live after ${toSeconds(milliseconds)}: ${files} ${files === 1 ? 'file' : 'files'} on top of ${live.image}`,
      );
      return true;
    }

    async function updateImage(source: SourceState, run: Run): Promise<void> {
      const running = await findRunningImage(deps, name, run.signal);
      const reloaded = running
        ? { service: name, image: running.reference, changed: false, phases: {} }
        : await reload(deps, name, run);
      const image = running ?? (await deps.serviceImages.find(name));
      // If the source was changed while the build waited, the next change builds a new image.
      const isCurrent = listSaved(source, await deps.serviceImages.getSource(name)).length === 0;
      deployed = image && isCurrent ? { source, live: await toState(image) } : undefined;
      const milliseconds = performance.now() - savedAt;
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
