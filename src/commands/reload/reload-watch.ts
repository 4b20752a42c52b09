import { relative } from 'node:path';
import { isInside } from '../../config/folders.ts';
import type { Environment } from '../../config/schema.ts';
import { getService } from '../../config/services.ts';
import { readLiveSource, readTopLayer } from '../../images/live-source.ts';
import type { ServiceImage, SourceFolder } from '../../images/service-image.ts';
import { Failure } from '../../lib/failure.ts';
import { createLatest, type Latest } from '../../lib/latest.ts';
import { type Hold, shareHold } from '../../lib/share-hold.ts';
import { watchSources } from '../../live/watch.ts';
import { findRunningImage, type ReloadServiceParts, reload } from '../../steps/reload-service.ts';
import { type LiveState, updateLive } from '../../steps/update-live.ts';
import { describeFailure, toFailureValue } from '../../ui/failure.ts';
import type { App } from '../command-line/command.ts';
import { toReloadLine, toSeconds } from './reload-line.ts';

export interface WatchParts {
  readonly app: App;
  readonly environment: Environment;
  /** Everything for one reload: each sees the source as it is then. */
  readonly connect: () => ReloadServiceParts;
}

/** A service, and what of it was saved and has not reached its pods yet. */
interface Watched {
  readonly name: string;
  readonly folders: readonly SourceFolder[];
  readonly latest: Latest;
  readonly saved: Set<string>;
  /** On the monotonic clock: when something was saved last. */
  since: number;
  /** What is being worked on, or was last: the hash of that source. */
  hash: string;
}

/**
 * Reloads services now and on every save, until the signal is aborted: straight into the running containers where a
 * service allows that and nothing else was saved, else by an image. What fails is told of, and the next save tried.
 * @throws {Failure} when the folders cannot be watched.
 */
export async function watchServices(parts: WatchParts, names: readonly string[]): Promise<void> {
  const { app, connect } = parts;
  const { ui } = app;
  const bug = new AbortController();
  const signal = AbortSignal.any([app.signal, bug.signal]);
  const hold = shareHold((work) => app.exclusively(work, { wait: true }));
  const images = connect().serviceImages;
  const services = await Promise.all(names.map(async (name) => watch(name, await images.listFolders(name))));

  function watch(name: string, folders: readonly SourceFolder[]): Watched {
    const work = createWork(parts, hold, () => service);
    const latest = createLatest(work, { signal, onError: (error) => bug.abort(error) });
    const service: Watched = { name, folders, latest, saved: new Set(), since: performance.now(), hash: '' };
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
    for (const { latest } of services) latest.request();
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
    const own = [...paths].filter((path) => isSourceOf(service, path));
    if (own.length === 0) return;
    // Saved again as it was, or the second half of one save: what is at work for it goes on.
    if ((await findHash(service.name)) === service.hash) return;
    service.since = since;
    for (const path of own) service.saved.add(path);
    service.latest.request();
  }

  /** Undefined for a source that cannot be read as it is now: whoever works on it tells why. */
  async function findHash(name: string): Promise<string | undefined> {
    try {
      return await connect().serviceImages.readHash(name);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }
}

function isSourceOf({ folders }: Watched, path: string): boolean {
  return folders.some(({ folder, isSource }) => isInside(folder, path) && isSource(relative(folder, path)));
}

/** What brings a service's source of now into its pods, knowing what it brought there before. */
function createWork(
  { app, environment, connect }: WatchParts,
  hold: Hold,
  getWatched: () => Watched,
): (signal: AbortSignal) => Promise<void> {
  const { ui } = app;
  let state: LiveState | undefined;

  return async (signal) => {
    const service = getWatched();
    const { name, since } = service;
    const saved = new Set(service.saved);
    // What is saved again from now on has to be brought again.
    service.saved.clear();
    const parts = connect();
    const run = { signal, report: (line: string) => ui.detail(`${name}: ${line}`) };
    try {
      service.hash = await parts.serviceImages.readHash(name);
      if (!(await bringLive())) await hold(bringImage);
    } catch (error) {
      for (const path of saved) service.saved.add(path);
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      if (ui.json) ui.result({ version: 1, service: name, error: toFailureValue(error) }, '');
      else ui.warn(`${clock()} ${describeFailure(error, ui.colors)}`);
    }

    /** False when it takes an image. */
    async function bringLive(): Promise<boolean> {
      if (!state || saved.size === 0) return false;
      const { checkout } = app.paths;
      const source = await readLiveSource(
        { environment, checkout },
        { name, sourceHash: service.hash, saved },
      );
      if (!source) return false;
      const place = { namespace: parts.namespace, name };
      const { port } = getService(environment, name);
      const nodes = parts.toolchain.nodes;
      const update = await updateLive(
        { api: parts.api, nodes, place, port },
        state,
        { ...source, sourceHash: service.hash },
        run,
      );
      if (!update) return false;
      if (update.put === 0) return true;
      const milliseconds = performance.now() - since;
      const { files } = update;
      ui.result(
        { version: 1, service: name, kind: 'live', image: state.image, files, milliseconds },
        `${clock()} ${name} live after ${toSeconds(milliseconds)}: ${files} ${files === 1 ? 'file' : 'files'} over ${state.image}`,
      );
      return true;
    }

    async function bringImage(): Promise<void> {
      const running = await findRunningImage(parts, name, signal);
      const reloaded = running
        ? { service: name, image: running.reference, changed: false, phases: {} }
        : await reload(parts, name, run);
      const image = running ?? (await parts.serviceImages.find(name));
      state = image && (await toState(image));
      const milliseconds = performance.now() - since;
      ui.result(
        { version: 1, kind: 'image', ...reloaded, milliseconds },
        `${clock()} ${toReloadLine(reloaded, milliseconds)}`,
      );
    }

    async function toState({ reference, image, isStandIn }: ServiceImage): Promise<LiveState> {
      const base = isStandIn ? await readTopLayer(parts.store, image) : new Map();
      return { image: reference, base, containers: new Map() };
    }
  };
}

const clock = () => new Date().toTimeString().slice(0, 8);
