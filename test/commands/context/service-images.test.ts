import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openServiceImages } from '../../../src/commands/context/service-images.ts';
import type { Environment } from '../../../src/config/schema.ts';
import type { Images } from '../../../src/images/open-images.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { Failure } from '../../../src/lib/failure.ts';
import type { Docker } from '../../../src/tools/docker/docker.ts';
import type { DockerImage } from '../../../src/tools/docker/images.ts';
import { environment } from '../../fakes/app.ts';
import { makeHost } from '../../fakes/host.ts';
import { createFakeDocker } from '../../fakes/registries.ts';
import { noWatch } from '../../fakes/watch.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const service: Omit<Environment['services'][string], 'port' | 'standIn'> = {
  ...{ needs: [], live: [], build: 'source', dockerfile: 'Dockerfile', context: '.' },
};

/** A checkout with one Dockerfile for two services, and an engine whose builds have as content what the Dockerfile says. */
async function makeWorld({
  clients = { docker: 'echo Docker version 20.10.24' } as Record<string, string>,
} = {}) {
  const checkout = await makeTemporaryFolder();
  const write = (content: string) => writeFile(join(checkout, 'source/Dockerfile'), content);
  await mkdir(join(checkout, 'source'));
  await write('one');
  const host = await makeHost({ programs: clients });
  const named = createFakeDocker({});
  /** Images that have lost their last name. */
  const nameless = new Map<string, DockerImage>();
  const state = { content: 'one', inUse: false, arguments: [] as readonly string[], kept: 0 };
  /** Builds that run, and the most that ever ran at once. */
  const builds = { running: 0, most: 0 };
  const docker = {
    watch: noWatch,
    ...named,
    env: {},
    async pruneBuildCache(keep: number) {
      state.kept = keep;
      return 0;
    },
    readCapacity: async () => ({ cpus: 2, memory: 8e9 }),
    // Its layers cannot be read as files, so that images are saved whole.
    async readRoot() {
      throw new Failure('no folder of layers');
    },
    async findImage(name: string) {
      return (await named.findImage(name)) ?? nameless.get(name);
    },
    async removeImage(id: string) {
      if (state.inUse) throw new Failure('conflict: it is used by a container');
      if (!nameless.delete(id)) throw new Error(`only images without a name are removed, and not ${id}`);
    },
  } as unknown as Docker;

  async function build(image: string): Promise<void> {
    const before = await named.findImage(image);
    await named.add(image, state.content);
    const after = await named.findImage(image);
    if (before && before.id !== after?.id) {
      nameless.set(before.id, { ...before, tags: [] });
    }
  }
  const lines: string[] = [];
  const run = { signal: new AbortController().signal, report: (line: string) => void lines.push(line) };
  const open = ({ rebuild = false } = {}) =>
    openServiceImages({
      rebuild,
      host: host.host,
      toolchain: { docker },
      images: { store: openStore(join(checkout, 'cache')), architecture: 'amd64', checkout } as Images,
      environment: {
        ...{ ...environment, source: 'source' },
        services: {
          board: { ...service, port: 8000, standIn: 'services/board' },
          chat: { ...service, port: 8001, standIn: 'services/chat' },
        },
      },
      app: {
        paths: { checkout, state: checkout, cache: join(checkout, 'cache'), data: checkout },
        async exec(program, args, options) {
          if (args[0] !== 'build') return host.exec(program, args, options);
          state.arguments = args;
          builds.running += 1;
          builds.most = Math.max(builds.most, builds.running);
          await sleep(20);
          builds.running -= 1;
          await build(args.find((arg) => arg.startsWith('--tag='))?.slice('--tag='.length) ?? '');
          return { stdout: '', stderr: '' };
        },
      },
    });
  return {
    ...{ checkout, state, nameless, lines, named, docker, open, run },
    /** Builds what the Dockerfile says from now on. */
    async build(content: string) {
      state.content = content;
      await write(content);
      return open().build('board', run);
    },
    /** Builds both services at once; resolves to how many builds ran at once. */
    async buildBoth() {
      const images = open();
      await Promise.all(['board', 'chat'].map((name) => images.build(name, run)));
      return builds.most;
    },
  };
}

test('an image of the Dockerfile is in the store, under a name of its content', async () => {
  const { build, checkout, state } = await makeWorld();
  const built = await build('one');
  expect(built).toMatchObject({
    reference: expect.stringMatching(/^wealist\.local\/board:[0-9a-f]{12}$/),
    isStandIn: false,
  });
  for (const { digest } of built.image.layers) {
    expect(await openStore(join(checkout, 'cache')).findBlob(digest)).toBeDefined();
  }
  expect(state.arguments).toContain(`--file=${join(checkout, 'source/Dockerfile')}`);
  expect(state.arguments.at(-1)).toBe(join(checkout, 'source'));
  expect((await build('two')).reference).not.toBe(built.reference);
});

test('in the engine each service of a checkout has one image: the one before goes with its name', async () => {
  const { build, named, nameless } = await makeWorld();
  for (const content of ['one', 'two', 'three']) {
    await build(content);
    expect(named.names()).toEqual([expect.stringMatching(/^wealist\.local\/board:source-[0-9a-f]+$/)]);
    expect(nameless.size).toBe(0);
  }
});

test('another checkout builds under another name', async () => {
  const [one, other] = await Promise.all([makeWorld(), makeWorld()]);
  await one.build('one');
  await other.build('one');
  expect(one.named.names()).not.toEqual(other.named.names());
});

test('an image that has another name too, or is in use, stays, and the build is as good', async () => {
  const { build, state, nameless, lines, docker } = await makeWorld();
  await build('one');
  state.inUse = true;
  await build('two');
  expect(nameless.size).toBe(1);
  expect(lines).toContain('the previous image is kept in the engine: conflict: it is used by a container');

  state.inUse = false;
  nameless.clear();
  const { findImage } = docker;
  Object.assign(docker, {
    async findImage(name: string) {
      const found = await findImage(name, {});
      return found && { ...found, tags: ['somebody/else:1'] };
    },
  });
  await build('three');
  expect(nameless.size).toBe(1);
});

test('services that are built at once take turns where the engine has two processors', async () => {
  const { buildBoth, lines } = await makeWorld();
  expect(await buildBoth()).toBe(1);
  expect(lines).toContain('waiting for another build to end');
});

test('without a client that builds it is a failure with the way to one', async () => {
  const { build } = await makeWorld({ clients: {} });
  await expect(build('one')).rejects.toMatchObject({
    message: 'no docker client that can build Dockerfiles is installed',
    hint: 'npm run doctor -- --fix',
    exitCode: 3,
  });
});

test('an image that is forced is built without the cache although it exists, once in a run', async () => {
  const { build, state, open, run } = await makeWorld();
  await build('one');
  expect(await open().find('board')).toBeDefined();
  const forced = open({ rebuild: true });
  expect(await forced.find('board')).toBeUndefined();
  state.content = 'built anew';
  const built = await forced.build('board', run);
  expect(state.arguments).toContain('--no-cache');
  expect(await forced.find('board')).toEqual(built);
  // The next run takes it.
  expect(await open().find('board')).toEqual(built);
});

test("BuildKit's cache is bounded after a build, and a failure of that is no failure of the build", async () => {
  const { build, state, docker, lines } = await makeWorld();
  await build('one');
  expect(state.kept).toBe(20 * 2 ** 30);
  Object.assign(docker, {
    pruneBuildCache: async () => {
      throw new Failure('the engine is busy');
    },
  });
  await build('two');
  expect(lines).toContain("BuildKit's cache is not bounded: the engine is busy");
});
