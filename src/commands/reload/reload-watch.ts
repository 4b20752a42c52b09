import { relative } from 'node:path';
import { isInside } from '../../config/folders.ts';
import { mergeFolders, type SourceFolder } from '../../images/source/source-files.ts';
import { listSaved, type SourceState } from '../../images/source/source-state.ts';
import { watchSources } from '../../images/source/watch-sources.ts';
import { Failure } from '../../lib/failure.ts';
import { createRestartableTask } from '../../lib/restartable-task.ts';
import { shareLock } from '../../lib/share-lock.ts';
import { createReload, type WatchDeps, type WatchedService } from './bring-source.ts';
import { createHeldContainers } from './hold-containers.ts';
import { watchContainers } from './watch-containers.ts';

/**
 * Reloads services now and on every save, until the signal is aborted. If only files of live folders differ from the
 * image, they are copied into the running containers, and into each that starts later; otherwise an image is built.
 * Failures are printed, and the next save is tried.
 * @throws {Failure} when the folders cannot be watched.
 */
export async function watchServices(deps: WatchDeps, names: readonly string[]): Promise<void> {
  const { app, connect } = deps;
  const { ui } = app;
  const bug = new AbortController();
  const signal = AbortSignal.any([app.signal, bug.signal]);
  const withLock = shareLock((work) => app.exclusively(work, { wait: true, usesCache: true }));
  const { serviceImages: images, api, namespace, toolchain, nodeNames } = await connect();
  const services = await Promise.all(names.map(async (name) => watch(name, await images.listFolders(name))));

  function watch(name: string, folders: readonly SourceFolder[]): WatchedService {
    const reloadService = createReload(deps, withLock, () => service);
    const latest = createRestartableTask(reloadService, { signal, onError: (error) => bug.abort(error) });
    const service: WatchedService = {
      ...{ name, folders, latest, savedAt: performance.now() },
      ...{ isWanted: true, isLive: false, onPut: () => {}, source: undefined },
    };
    return service;
  }

  const watched = mergeFolders(services.flatMap((service) => service.folders));
  const onWatching = () => {
    ui.say(`watching ${names.join(', ')} until Ctrl-C`);
    for (const { latest } of services) latest.restart();
  };
  const over = new AbortController();
  const whileWatching = { namespace, names, signal: AbortSignal.any([signal, over.signal]) };
  const held = createHeldContainers({
    ...{ ...whileWatching, nodes: toolchain.nodes, nodeNames },
    isLive: (name) => services.some((each) => each.name === name && each.isLive),
  });
  for (const service of services) service.onPut = held.release;
  const holding = held.run().catch((error) => bug.abort(error));
  const watchingContainers = watchContainers(api, {
    ...whileWatching,
    onChange: (name) => services.find((each) => each.name === name)?.latest.repeat(),
    onSilence: (message) => ui.say(`${message}: waiting for it`),
  }).catch((error) => bug.abort(error));
  try {
    for await (const { paths, since } of watchSources(watched, { signal, onWatching })) {
      await Promise.all(services.map((service) => requestReload(service, paths, since)));
    }
    signal.throwIfAborted();
  } finally {
    over.abort();
    await Promise.all([holding, watchingContainers, ...services.map(({ latest }) => latest.idle())]);
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
    service.isWanted = true;
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
