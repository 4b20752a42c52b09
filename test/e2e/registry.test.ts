import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Environment } from '../../src/config/schema.ts';
import { openImages } from '../../src/images/open-images.ts';
import { createPuller } from '../../src/images/pull/puller.ts';
import { Failure } from '../../src/lib/failure.ts';
import { imageId } from '../../src/lib/oci.ts';
import { ownPlatform } from '../../src/lib/platform.ts';
import { findEngine } from '../../src/machine/engine.ts';
import { readHost } from '../../src/machine/host.ts';
import type { Run } from '../../src/plan/plan.ts';
import { findPaths } from '../../src/state/paths.ts';
import { createDockerCli } from '../../src/tools/docker/cli.ts';
import { createDocker, type Docker } from '../../src/tools/docker/docker.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { type LocalRegistry, startRegistry } from './local-registry.ts';

/*
 * Pulls as they happen: the real engine, a real registry as the mirror of all others, each test with a cache, digests
 * and a run of its own. What of the catalog is pushed there is small and ours.
 */

const engine = await findEngine(await readHost(), {});
if (!engine)
  process.stderr.write('SKIPPED: test/e2e/registry.test.ts needs a container engine, and none runs here\n');

const redis = 'library/redis:8.0.3-bookworm';
const postgres = 'library/postgres:17.6-bookworm';
const nginx = 'ingress-nginx/controller:v1.15.1';

describe.skipIf(!engine)('images from a registry', () => {
  let docker: Docker;
  let folder: string;
  let registry: LocalRegistry;

  beforeAll(async () => {
    if (!engine) return;
    docker = createDocker(engine, exec);
    folder = await mkdtemp(join(tmpdir(), 'wealist-registry-'));
    // The registry's program comes from the cache of all runs; it is not what is tested.
    const images = await open({ cache: findPaths().cache, data: folder, registry: { pull: 'never' } });
    const workshop = await images.workshop({ signal: new AbortController().signal, report: () => {} });
    const program = await workshop.goProgram({
      package: 'github.com/distribution/distribution/v3/cmd/registry',
      version: 'v3.1.2',
    });
    registry = await startRegistry({ ...images, program, folder, docker });
  });

  afterAll(async () => {
    await registry?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const open = ({
    cache,
    data,
    registry,
  }: {
    cache: string;
    data: string;
    registry: Environment['registry'];
  }) =>
    openImages({
      paths: { ...findPaths(), cache, data },
      registry,
      toolchain: { docker, dockerCli: createDockerCli(exec, docker) },
      exec,
      architecture: ownPlatform().architecture,
    });

  /** A machine that has never pulled anything, and what it is told. */
  async function makeMachine(settings: Partial<Environment['registry']> = {}) {
    const cache = await makeTemporaryFolder();
    const data = await makeTemporaryFolder();
    const lines: string[] = [];
    const run: Run = { signal: new AbortController().signal, report: (line) => lines.push(line) };
    const start = () =>
      open({ cache, data, registry: { pull: 'only', mirror: registry.address, ...settings } });
    return { data, lines, run, start, ...(await start()) };
  }

  async function catchFailure(work: Promise<unknown>): Promise<Failure> {
    const error = await work.catch((thrown: unknown) => thrown);
    if (error instanceof Failure) return error;
    throw new Error('it did not end with a Failure', { cause: error });
  }

  test('an image is pulled, its digest recorded, and nothing of it stays in the engine', async () => {
    const pushed = await registry.push(redis, 'redis');
    const { chain, data, run, start } = await makeMachine();
    expect(await chain.find('redis')).toBeUndefined();
    const pulled = await chain.ensure('redis', run);
    expect(pulled).toMatchObject({ origin: 'pulled', reference: `docker.io/${redis}` });
    expect(pulled.image.layers).toEqual(pushed.image.layers);
    expect(imageId(pulled.image)).toBe(imageId(pushed.image));
    expect(JSON.parse(await readFile(join(data, 'image-digests.json'), 'utf8'))).toEqual({
      [`${registry.address}/${redis}`]: pushed.digest,
    });
    expect(await docker.findImage(`${registry.address}/${redis}`)).toBeUndefined();

    // Another run, which has nothing left to ask.
    const { chain: later } = await start();
    expect(await later.find('redis')).toEqual(pulled);
  });

  test('a tag that moved stays what it was, while the registry has that', async () => {
    const { image } = await registry.push(redis, 'redis');
    const { chain, run, store, start } = await makeMachine();
    await chain.ensure('redis', run);
    await empty(store);
    await registry.push(redis, 'another redis');
    const { chain: later } = await start();
    expect((await later.ensure('redis', run)).image.layers).toEqual(image.layers);
  });

  test('a tag that stands for something else is refused until that is accepted', async () => {
    const first = await registry.push(postgres, 'postgres');
    const { chain, run, store, start } = await makeMachine();
    await chain.ensure('postgres', run);
    await empty(store);
    const second = await registry.push(postgres, 'another postgres');
    await registry.deleteManifest('library/postgres', first.digest);

    const machine = await start();
    const failure = await catchFailure(machine.chain.ensure('postgres', run));
    expect(failure.exitCode).toBe(9);
    expect(failure.message).toBe(
      `${registry.address}/${postgres} has digest ${second.digest}, not ${first.digest} as recorded`,
    );
    expect(failure.hint).toBe(`npm run images -- accept ${registry.address}/${postgres}@${second.digest}`);

    await machine.digests.record(`${registry.address}/${postgres}`, second.digest);
    expect((await machine.chain.ensure('postgres', run)).image.layers).toEqual(second.image.layers);
  });

  test('what the mirror has in place of a pinned digest is refused', async () => {
    const { digest } = await registry.push(nginx, 'not ingress-nginx');
    const { chain, run } = await makeMachine();
    const failure = await catchFailure(chain.ensure('nginx', run));
    expect(failure).toMatchObject({ exitCode: 9, message: expect.stringContaining(digest) });
  });

  test('an image that the registry lacks is not taken for a registry that is away', async () => {
    const { chain, run } = await makeMachine();
    const failure = await catchFailure(chain.ensure('traefik', run));
    expect(failure.exitCode).toBe(7);
    expect(failure.message).toContain(
      `registry ${registry.address} has no image ${registry.address}/library/traefik`,
    );
  });

  test('a registry that is away is asked once, and each image says so', async () => {
    const away = await findClosedAddress();
    const { chain, run, lines } = await makeMachine({ mirror: away });
    const failures = await Promise.all([
      catchFailure(chain.ensure('redis', run)),
      catchFailure(chain.ensure('postgres', run)),
      catchFailure(chain.ensure('s3', run)),
    ]);
    expect(lines.filter((line) => line === `checking registry ${away}`)).toHaveLength(1);
    for (const { message, exitCode } of failures) {
      expect(exitCode).toBe(7);
      expect(message).toContain(`registry ${away} cannot be reached`);
      expect(message).toContain('(connection refused)');
    }
  });

  test('a registry that refuses for now says that', async () => {
    const stub = await listen((request, response) => {
      const isImage = request.url?.includes('/manifests/');
      response.writeHead(isImage ? 429 : 200, { 'content-type': 'application/json' });
      response.end(
        isImage ? '{"errors":[{"code":"TOOMANYREQUESTS","message":"rate limit exceeded"}]}' : '{}',
      );
    });
    const { chain, run } = await makeMachine({ mirror: stub });
    const failure = await catchFailure(chain.ensure('redis', run));
    expect(failure.message).toContain(`registry ${stub} refuses ${stub}/${redis}: pull rate limit reached`);
    expect(failure).toMatchObject({ exitCode: 7, hint: `docker login ${stub}` });
  });

  test('a registry with an error of its own counts as away', async () => {
    const stub = await listen((_, response) => response.writeHead(503).end());
    const { chain, run } = await makeMachine({ mirror: stub });
    const failure = await catchFailure(chain.ensure('redis', run));
    expect(failure.message).toContain(`registry ${stub} cannot be reached`);
  });

  test('a registry that never answers is given up', async () => {
    const stub = await listen(() => {});
    const { architecture, digests, run } = await makeMachine();
    const mirrored = { mirror: stub };
    const puller = createPuller({ docker, registry: mirrored, digests, architecture, timeout: 300 });
    const reference = { registry: 'docker.io', repository: 'library/redis', tag: '8' };
    await expect(puller.pull(reference, run)).rejects.toMatchObject({
      problem: 'unreachable',
      message: `registry ${stub} cannot be reached for ${stub}/library/redis:8`,
    });
  });

  test('where building is allowed, what cannot be pulled is built and says why', async () => {
    const away = await findClosedAddress();
    const { chain, run, lines } = await makeMachine({ pull: 'auto', mirror: away });
    const built = await chain.ensure('redis', run);
    expect(built).toMatchObject({
      origin: 'built',
      reference: expect.stringMatching(/^wealist\.local\/redis:[0-9a-f]{12}$/),
    });
    expect(lines).toContain(
      `registry ${away} cannot be reached for ${away}/${redis} (connection refused): building from packages, about 1 min`,
    );
  });
});

/** A cache that was pruned of everything. */
async function empty(store: Awaited<ReturnType<typeof openImages>>['store']): Promise<void> {
  const { images, files, blobs } = await store.list();
  await store.remove({
    images: images.map(({ key }) => key),
    files: files.map(({ key }) => key),
    blobs: blobs.map(({ digest }) => digest),
  });
}

/** A stand-in for a registry, until the test ends: its host and port. */
async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where nobody listens. */
async function findClosedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
