import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { watchServices } from '../../src/commands/reload/reload-watch.ts';
import type { Environment } from '../../src/config/schema.ts';
import { createServiceImages } from '../../src/images/build/service-image.ts';
import { packLayer } from '../../src/images/store/layer.ts';
import { openStore } from '../../src/images/store/store.ts';
import { toImageConfig } from '../../src/lib/oci.ts';
import type { Run } from '../../src/plan/plan.ts';
import { openRunLog, toRunsFile } from '../../src/state/run-log.ts';
import { listRuns } from '../../src/state/runs.ts';
import type { ReloadServiceDeps } from '../../src/steps/reload-service.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { environment as anyEnvironment, makeApp } from './app.ts';
import { createReloadedService } from './reloaded-service.ts';
import { noWatch } from './watch.ts';

const refuse = async () => {
  throw new Error('not needed for a Dockerfile');
};

/** Watches one service that is built from a Dockerfile. Files in `live/` are copied directly into its containers. */
export async function watchService({ json = false } = {}) {
  const source = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(source, path)), { recursive: true });
    // Like many editors: a rename is atomic.
    await writeFile(join(source, `${path}~`), content);
    await rename(join(source, `${path}~`), join(source, path));
  };
  const remove = (path: string) => rm(join(source, path));
  await write('Dockerfile', 'FROM scratch\nCOPY . .\n');
  await write('.dockerignore', '**/*~\n**/*.log\n');
  await write('.gitignore', 'made.json\n');
  await write('main.py', 'one');
  await write('live/page.html', 'one');
  await write('live/deep/er.html', 'one');

  const environment: Environment = {
    ...anyEnvironment,
    source,
    services: {
      board: {
        ...{ port: 8080, needs: [], standIn: 'services/board', build: 'source', dockerfile: 'Dockerfile' },
        live: [{ from: 'live', to: '/app', build: 'source' }],
      },
    },
  };
  const recorded = { state: await makeTemporaryFolder() };
  const end = new AbortController();
  const { app, stdout, stderr } = makeApp({ state: source, signal: end.signal, json });
  const service = createReloadedService();
  const store = openStore(await makeTemporaryFolder());

  /** Content and signal of each build. */
  const builds: { readonly content: string; readonly signal: AbortSignal }[] = [];
  const world = {
    build: async (_: Run) => {},
    holds: 0,
    /** Images of the engine: name → ID. */
    images: new Map<string, string>(),
    /** Number of times that the source was read; `onRead` is called before each. */
    reads: 0,
    onRead: async () => {},
    /** Called when an image was found. */
    onFound: async () => {},
  };
  async function buildDockerfile(_name: string, _source: object, _bases: object, run: Run) {
    const content = await readFile(join(source, 'main.py'), 'utf8');
    builds.push({ content, signal: run.signal });
    await world.build(run);
    run.signal.throwIfAborted();
    const layers = [await store.putBlob(packLayer([{ path: 'main.py', content }]))];
    return { layers, config: toImageConfig(layers, {}, 'amd64') };
  }
  const connect = async () => {
    const serviceImages = createServiceImages({
      ...{ environment, store, buildDockerfile, checkout: source, architecture: 'amd64' },
      chain: { find: refuse, ensure: refuse },
      findImageId: async (reference) => world.images.get(reference),
    });
    const deps: Omit<ReloadServiceDeps, 'toolchain' | 'snapshots'> = {
      ...{ api: service.api, store, watch: noWatch, nodeNames: ['node'], namespace: service.place.namespace },
      serviceImages: {
        ...serviceImages,
        async find(name) {
          const found = await serviceImages.find(name);
          if (found) await world.onFound();
          return found;
        },
        async readSource(name) {
          await world.onRead();
          const found = await serviceImages.readSource(name);
          world.reads += 1;
          return found;
        },
      },
    };
    return { ...deps, toolchain: { nodes: service.nodes } } as ReloadServiceDeps;
  };
  const watching = watchServices(
    {
      environment,
      connect,
      app: {
        ...app,
        async exclusively(work) {
          world.holds += 1;
          return work();
        },
        recordRun: (args) =>
          openRunLog(toRunsFile(recorded), {
            ...{ command: 'reload', args, trigger: 'watch', config: () => undefined },
          }),
      },
    },
    ['board'],
  );
  const ended = watching.then(
    () => undefined,
    (error: unknown) => error,
  );
  onTestFinished(async () => {
    end.abort();
    await ended;
  });

  const lines = () => stdout().split('\n').filter(Boolean);
  return Object.assign(world, {
    ...{ source, write, remove, service, builds, lines, stderr, ended, end },
    /** The reloads that were recorded, the newest first. */
    runs: () => listRuns(recorded),
    pod: () => service.pods()[0]?.name ?? '',
    /** Waits for this number of lines and resolves to the last one. */
    async line(count: number): Promise<string> {
      await expect.poll(lines).toHaveLength(count);
      return lines().at(-1) ?? '';
    },
  });
}

/** A build step that waits until `open` is called. */
export function makeGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const pass = ({ signal }: Run) =>
    Promise.race([
      opened,
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    ]);
  return { open, pass };
}
