import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { getService } from '../../config/services.ts';
import type { ServiceImage } from '../../images/build/service-image.ts';
import { type LiveSource, readLiveBase, readLiveSource } from '../../images/source/live-source.ts';
import type { SourceFolder } from '../../images/source/source-files.ts';
import { listSaved, type SourceState } from '../../images/source/source-state.ts';
import { hasSameBases } from '../../images/source/with-bases.ts';
import { Failure } from '../../lib/failure.ts';
import type { RestartableTask } from '../../lib/restartable-task.ts';
import type { WithLock } from '../../lib/share-lock.ts';
import type { Run } from '../../plan/plan.ts';
import {
  type LiveFilesUpdate,
  type LiveState,
  type NoUpdate,
  putLiveFiles,
} from '../../steps/put-live-files.ts';
import { findRunningImage, type ReloadServiceDeps, reload } from '../../steps/reload-service.ts';
import { describeFailure, toFailureValue } from '../../ui/failure.ts';
import { recordReload } from './record-reload.ts';
import { toReloadLine, toSeconds } from './reload-line.ts';

export interface WatchDeps {
  readonly app: App;
  readonly environment: Environment;
  /** Dependencies of one reload, which reads the source that is current at the time of the call. */
  readonly connect: () => Promise<ReloadServiceDeps>;
}

export interface WatchedService {
  readonly name: string;
  readonly folders: readonly SourceFolder[];
  readonly latest: RestartableTask;
  /** Time of the last save, in milliseconds of the monotonic clock. */
  savedAt: number;
  /** Whether the current source has to be brought into the pods; otherwise only into containers that have started. */
  isWanted: boolean;
  /** Whether its containers need other files than those of their image. */
  isLive: boolean;
  /** Called when a container has its live files. */
  onPut: (containerID: string) => void;
  /** The source of the current or last reload; undefined if it could not be read. */
  source: SourceState | undefined;
}

/** What the pods of a service run: an image built from this source, and live files that differ from it. */
interface Deployed {
  readonly source: SourceState;
  readonly live: LiveState;
}

/**
 * Returns a function that brings a service's current source into its pods. It compares the source with the previously
 * deployed one, since the event for the first of several saved files may arrive alone.
 */
export function createReload(
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
    const { isWanted } = service;
    // A save from now on sets it again.
    service.isWanted = false;
    const recorded = recordReload(app, name);
    try {
      deps = await connect();
      await deps.watch(signal, async (limited) => {
        const run: Run = {
          signal: limited,
          report: (line) => ui.detail(`${name}: ${line}`),
          endPhase: (phase, milliseconds) => recorded.endPhase(phase, milliseconds),
        };
        if (isWanted) await bringSource(run);
        else await bringToStarted(run);
      });
      await recorded.end();
    } catch (error) {
      await recorded.end(signal.aborted ? signal.reason : error);
      service.isWanted ||= isWanted && signal.aborted;
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      if (ui.json) ui.result({ version: 1, service: name, error: toFailureValue(error) }, '');
      else ui.warn(`${clock()} ${describeFailure(error, ui.colors)}`);
    }

    async function bringSource(run: Run): Promise<void> {
      service.source = undefined;
      const source = await deps.serviceImages.readSource(name);
      service.source = source;
      const liveSource = await findLiveSource(source);
      const update = liveSource && (await put(source, liveSource, run));
      if (update === undefined || typeof update === 'string') {
        run.signal.throwIfAborted();
        return withLock(() => updateImage(source, run));
      }
      const { changed, waiting, files } = update;
      if (changed > 0) return printLive('after', files, { milliseconds: performance.now() - savedAt });
      if (waiting > 0)
        ui.say(`${name} does not run: ${toCount(files)} will be in its container when it starts`);
    }

    /** A container that has started since has the files of its image. */
    async function bringToStarted(run: Run): Promise<void> {
      const source = await deps.serviceImages.readSource(name);
      // What was saved meanwhile is brought by its own event.
      if (!service.source || listSaved(service.source, source).length > 0) return;
      const liveSource = await findLiveSource(source);
      const update = liveSource && (await put(source, liveSource, run));
      if (update === 'image') return withLock(() => updateImage(source, run));
      if (typeof update !== 'object') return;
      const { started, files } = update;
      if (started.length > 0) printLive('again', files, { started });
    }

    /** Undefined when the source differs in other files from that of the image, or in none. */
    async function findLiveSource(source: SourceState): Promise<LiveSource | undefined> {
      if (!deployed || !hasSameBases(deployed.source, source)) return undefined;
      const { base, containers } = deployed.live;
      const changed = listSaved(deployed.source, source);
      const isLive = [...containers.values()].some((container) => container.put.size > 0);
      if (changed.length === 0 && !isLive) return undefined;
      const { checkout } = app.paths;
      return readLiveSource({ environment, checkout, name }, { source, changed, base });
    }

    async function put(
      source: SourceState,
      liveSource: LiveSource,
      run: Run,
    ): Promise<LiveFilesUpdate | NoUpdate> {
      const { api, namespace, toolchain } = deps;
      const { port } = getService(environment, name);
      const onOutput = (line: string) => ui.say(`${name}: ${line}`);
      const { onPut } = service;
      service.isLive = true;
      recorded.begin('live');
      const update = await putLiveFiles(
        { api, nodes: toolchain.nodes, place: { namespace, name }, port, onOutput, onPut },
        (deployed as Deployed).live,
        { ...liveSource, sourceHash: source.hash },
        run,
      );
      if (typeof update === 'object') service.isLive = update.files > 0;
      return update;
    }

    function printLive(
      when: 'after' | 'again',
      files: number,
      more: { readonly milliseconds?: number; readonly started?: readonly string[] },
    ): void {
      const image = deployed?.live.image ?? '';
      const { milliseconds = 0, started = [] } = more;
      const words =
        when === 'after'
          ? `after ${toSeconds(milliseconds)}`
          : `again in ${started.join(', ')}, which has started`;
      ui.result(
        { version: 1, service: name, kind: 'live', image, files, ...more },
        `${clock()} ${name} live ${words}: ${toCount(files)} on top of ${image}`,
      );
    }

    async function updateImage(source: SourceState, run: Run): Promise<void> {
      // Its new containers have all files from their image.
      service.isLive = false;
      const running = await findRunningImage(deps, name, run.signal);
      if (!running) recorded.begin('image');
      const reloaded = running
        ? { service: name, image: running.reference, changed: false, phases: {} }
        : await reload(deps, name, run);
      const image = running ?? (await deps.serviceImages.find(name));
      // If the source was changed while the build waited, the next change builds a new image.
      const isCurrent = listSaved(source, await deps.serviceImages.getSource(name)).length === 0;
      deployed = image && isCurrent ? { source, live: await toState(source, image) } : undefined;
      const milliseconds = performance.now() - savedAt;
      ui.result(
        { version: 1, kind: 'image', ...reloaded, milliseconds },
        `${clock()} ${toReloadLine(reloaded, milliseconds)}`,
      );
    }

    async function toState(source: SourceState, { reference, image }: ServiceImage): Promise<LiveState> {
      const { checkout } = app.paths;
      const base = await readLiveBase({ environment, checkout, name }, source, image, deps.store);
      return { image: reference, base, containers: new Map() };
    }
  };
}

const toCount = (files: number) => `${files} ${files === 1 ? 'file' : 'files'}`;

const clock = () => new Date().toTimeString().slice(0, 8);
