import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openImageDigests } from '../../src/images/pull/image-digests.ts';
import type { openStore } from '../../src/images/store/store.ts';
import { exitCodes, Failure } from '../../src/lib/failure.ts';
import { digestOf } from '../../src/lib/oci.ts';
import { catchFailure, makeChain, noHost, pinned } from '../fakes/image-chain.ts';

const dockerIo = { 'library/postgres:17.6': 'postgres', 'library/redis:8.0.3': 'the pinned redis' };

describe('an image that a registry has', () => {
  test("is pulled, cached under the catalog's name, and removed from the engine", async () => {
    const { chain, docker, run, built } = await makeChain({ registries: { 'docker.io': dockerIo } });
    expect(await chain.find('postgres')).toBeUndefined();
    const got = await chain.ensure('postgres', run);
    expect(got).toMatchObject({ origin: 'pulled', reference: 'docker.io/library/postgres:17.6' });
    expect(await chain.find('postgres')).toEqual(got);
    expect(docker.names()).toEqual([]);
    expect(built).toEqual([]);
  });

  test('is pulled once: the second run finds it', async () => {
    const { chain, open, docker, run } = await makeChain({ registries: { 'docker.io': dockerIo } });
    await chain.ensure('postgres', run);
    const asked = docker.requests.length;
    expect(await open().ensure('postgres', run)).toMatchObject({ origin: 'pulled' });
    expect(docker.requests).toHaveLength(asked);
  });

  test('is pulled from the mirror with the same path', async () => {
    const { chain, docker, run } = await makeChain({
      registries: { 'mirror.test:5000': dockerIo },
      registry: { pull: 'only', mirror: 'mirror.test:5000' },
    });
    const { reference } = await chain.ensure('postgres', run);
    expect(reference).toBe('docker.io/library/postgres:17.6');
    expect(docker.requests.every((name) => name.startsWith('mirror.test:5000/library/postgres:'))).toBe(true);
  });

  test('that the engine already has is imported, and stays there', async () => {
    const { chain, docker, run } = await makeChain({ registry: { pull: 'never' } });
    await docker.add('docker.io/library/postgres:17.6', 'loaded by hand');
    expect(await chain.ensure('postgres', run)).toMatchObject({ origin: 'pulled' });
    expect(docker.requests).toEqual([]);
    expect(docker.names()).toEqual(['docker.io/library/postgres:17.6']);
  });

  test('that two steps need at once is pulled once', async () => {
    const { chain, docker, run } = await makeChain({ registries: { 'docker.io': dockerIo } });
    const [a, b] = await Promise.all([chain.ensure('postgres', run), chain.ensure('postgres', run)]);
    expect(a).toEqual(b);
    expect(docker.requests).toHaveLength(2);
  });
});

describe("an image of the user's own", () => {
  const own = { postgres: 'docker.io/library/postgis:1' };

  test('is taken from the engine, again when it was built again, and found without it', async () => {
    const { chain, docker, run } = await makeChain({ own });
    await docker.add(own.postgres, 'first');
    expect(await chain.find('postgres')).toBeUndefined();
    const first = await chain.ensure('postgres', run);
    expect(first).toMatchObject({
      origin: 'pulled',
      reference: expect.stringMatching(/^wealist.local\/postgres:/),
    });
    expect(await chain.find('postgres')).toEqual(first);
    await docker.add(own.postgres, 'second');
    expect(await chain.find('postgres')).toBeUndefined();
    const second = await chain.ensure('postgres', run);
    expect(second.reference).not.toBe(first.reference);
    await docker.removeImage(own.postgres);
    expect(await chain.find('postgres')).toEqual(second);
  });

  test('is pulled, or else a failure: no recipe builds it', async () => {
    const { chain, run, built } = await makeChain({
      own,
      registries: { 'docker.io': { 'library/postgis:1': 'postgis' } },
    });
    expect(await chain.ensure('postgres', run)).toMatchObject({ origin: 'pulled' });
    const without = await makeChain({ own });
    await expect(without.chain.ensure('postgres', without.run)).rejects.toThrow(
      'image postgres can be neither pulled nor built: registry docker.io cannot be reached for docker.io/library/postgis:1',
    );
    expect([...built, ...without.built]).toEqual([]);
  });
});

describe('a digest', () => {
  test('is recorded at the first pull', async () => {
    const { chain, data, run } = await makeChain({ registries: { 'docker.io': dockerIo } });
    await chain.ensure('postgres', run);
    expect(JSON.parse(await readFile(join(data, 'image-digests.json'), 'utf8'))).toEqual({
      'docker.io/library/postgres:17.6': digestOf('postgres'),
    });
  });

  test('that was recorded is pulled again although the tag has moved', async () => {
    const moving: Record<string, string> = { ...dockerIo };
    const { chain, store, run } = await makeChain({ registries: { 'docker.io': moving } });
    const first = await chain.ensure('postgres', run);
    await forget(store);
    moving['library/postgres:17.6'] = 'another postgres';
    moving['library/postgres:old'] = 'postgres';
    expect(await chain.ensure('postgres', run)).toEqual(first);
  });

  test('that the registry no longer has is refused, with the command to accept the new one', async () => {
    const moving: Record<string, string> = { ...dockerIo };
    const { chain, store, data, cache, run, built } = await makeChain({
      registries: { 'docker.io': moving },
    });
    await chain.ensure('postgres', run);
    await forget(store);
    moving['library/postgres:17.6'] = 'another postgres';
    const failure = await catchFailure(chain.ensure('postgres', run));
    expect(failure.exitCode).toBe(exitCodes.refused);
    expect(failure.message).toBe(
      `docker.io/library/postgres:17.6 has digest ${digestOf('another postgres')}, not ${digestOf('postgres')} as recorded`,
    );
    expect(failure.hint).toBe(
      `npm run images -- accept docker.io/library/postgres:17.6@${digestOf('another postgres')}`,
    );
    expect(built).toEqual([]);

    await openImageDigests({ data, cache }).record(
      'docker.io/library/postgres:17.6',
      digestOf('another postgres'),
    );
    expect(await chain.ensure('postgres', run)).toMatchObject({ origin: 'pulled' });
  });

  test('of the catalog is what is pulled', async () => {
    const { chain, docker, run } = await makeChain({ registries: { 'docker.io': dockerIo } });
    await chain.ensure('redis', run);
    expect(docker.requests).toContain(`docker.io/library/redis@${pinned}`);
  });

  test('of the catalog refuses what the mirror has under the tag', async () => {
    const { chain, run } = await makeChain({
      registries: { 'mirror.test': { 'library/redis:8.0.3': 'something else' } },
      registry: { pull: 'auto', mirror: 'mirror.test' },
    });
    const failure = await catchFailure(chain.ensure('redis', run));
    expect(failure.exitCode).toBe(exitCodes.refused);
    expect(failure.message).toContain('mirror.test/library/redis:8.0.3');
  });

  test('excludes an image of the engine with another digest', async () => {
    const { chain, docker, run } = await makeChain({
      registries: { 'docker.io': { ...dockerIo, 'library/redis:other': 'not the pinned one' } },
    });
    await docker.pullImage('docker.io/library/redis:other', run);
    await docker.tagImage('docker.io/library/redis:other', 'docker.io/library/redis:8.0.3');
    await chain.ensure('redis', run);
    expect(docker.requests).toContain(`docker.io/library/redis@${pinned}`);
  });
});

describe('an image that cannot be pulled', () => {
  test('is built, and the registry, the reason and the minutes are reported', async () => {
    const { chain, run, lines, built } = await makeChain({ registries: { 'docker.io': noHost } });
    expect(await chain.ensure('postgres', run)).toMatchObject({
      origin: 'built',
      reference: expect.stringMatching(/^wealist\.local\/postgres:[0-9a-f]{12}$/),
    });
    expect(lines).toContain(
      'registry docker.io cannot be reached for docker.io/library/postgres:17.6 (no such host): building from packages, about 3 min',
    );
    expect(built).toEqual(['postgres']);
    expect(await chain.find('postgres')).toMatchObject({ origin: 'built' });
  });

  test('because it does not exist is reported as such, and not as a lack of network', async () => {
    const { chain, run, lines } = await makeChain({ registries: { 'docker.io': {} } });
    await chain.ensure('postgres', run);
    const said = lines.find((line) => line.includes('building from packages'));
    expect(said).toMatch(/^registry docker\.io has no image docker\.io\/library\/postgres:17\.6 /);
  });

  test('is built again when its recipe has changed', async () => {
    const { chain, run, built, changeRecipe } = await makeChain();
    await chain.ensure('postgres', run);
    changeRecipe();
    expect(await chain.find('postgres')).toBeUndefined();
    await chain.ensure('postgres', run);
    expect(built).toEqual(['postgres', 'postgres']);
  });

  test('and has no recipe is a failure with both reasons', async () => {
    const { chain, run } = await makeChain({ registries: { 'registry.k8s.io': noHost } });
    const failure = await catchFailure(chain.ensure('nginx', run));
    expect(failure.exitCode).toBe(exitCodes.image);
    expect(failure.message).toMatch(
      /^image nginx can be neither pulled nor built: registry registry\.k8s\.io cannot be reached/,
    );
    expect(failure.cause).toBe('no recipe exists to build it');
  });

  test("and does not build is a failure with both reasons and the second's hint", async () => {
    const { chain, run } = await makeChain({
      registries: { 'docker.io': noHost },
      build: async () => {
        throw new Failure('mmdebstrap is not installed', { hint: 'sudo apt-get install -y mmdebstrap' });
      },
    });
    const failure = await catchFailure(chain.ensure('postgres', run));
    expect(failure.message).toContain('registry docker.io cannot be reached');
    expect(failure.cause).toMatchObject({ message: 'mmdebstrap is not installed' });
    expect(failure).toMatchObject({ hint: 'sudo apt-get install -y mmdebstrap', exitCode: exitCodes.host });
  });

  test('for want of disk space is not built either', async () => {
    const full = { 'docker.io': 'write /var/lib/docker/tmp/x: no space left on device' };
    const { chain, run, built } = await makeChain({ registries: full });
    expect((await catchFailure(chain.ensure('postgres', run))).hint).toBe('npm run images -- prune');
    expect(built).toEqual([]);
  });

  test('is not built when the environment says only', async () => {
    const { chain, run, built } = await makeChain({
      registries: { 'docker.io': noHost },
      registry: { pull: 'only' },
    });
    expect(await catchFailure(chain.ensure('postgres', run))).toMatchObject({
      cause: 'registry.pull is only',
      exitCode: exitCodes.image,
    });
    expect(built).toEqual([]);
  });

  test('a bug in a recipe stays an error with its stack', async () => {
    const { chain, run } = await makeChain({
      build: async () => {
        throw new TypeError('a mistake');
      },
    });
    await expect(chain.ensure('postgres', run)).rejects.toThrow(TypeError);
  });
});

describe('registries', () => {
  test('are not used when the environment says never', async () => {
    const { chain, docker, run, lines } = await makeChain({
      registries: { 'docker.io': dockerIo },
      registry: { pull: 'never' },
    });
    expect(await chain.ensure('postgres', run)).toMatchObject({ origin: 'built' });
    expect(docker.requests).toEqual([]);
    expect(lines).toContain('registry.pull is never: building from packages, about 3 min');
  });

  test('that did not respond are tried once, also by steps that run at once', async () => {
    const { chain, docker, run, lines } = await makeChain({ registries: { 'docker.io': noHost } });
    await Promise.all([
      chain.ensure('postgres', run),
      chain.ensure('redis', run),
      chain.ensure('traefik', run),
      chain.ensureNode(run),
    ]);
    await chain.ensure('s3', run);
    expect(docker.requests).toHaveLength(1);
    for (const name of [
      'library/postgres',
      'library/redis',
      'library/traefik',
      'versity/versitygw',
      'kindest/node',
    ]) {
      expect(
        lines.some((line) => line.startsWith(`registry docker.io cannot be reached for docker.io/${name}:`)),
      ).toBe(true);
    }
  });

  test('that lack one image are tried for the next', async () => {
    const { chain, run } = await makeChain({
      registries: { 'docker.io': { 'library/postgres:17.6': 'postgres' } },
    });
    expect(await chain.ensure('traefik', run)).toMatchObject({ origin: 'built' });
    expect(await chain.ensure('postgres', run)).toMatchObject({ origin: 'pulled' });
  });
});

describe('the node', () => {
  test('is pulled and stays in the engine under its name', async () => {
    const { chain, docker, run } = await makeChain({
      registries: { 'mirror.test': { 'kindest/node:v1.34.11': 'node' } },
      registry: { pull: 'auto', mirror: 'mirror.test' },
    });
    expect(await chain.findNode()).toBeUndefined();
    const node = await chain.ensureNode(run);
    expect(node).toEqual({
      origin: 'pulled',
      reference: 'docker.io/kindest/node:v1.34.11',
      kubernetesVersion: 'v1.34.11',
    });
    expect(docker.names()).toContain(node.reference);
    expect(await chain.findNode()).toEqual(node);
  });

  test('is built under the name of its recipe', async () => {
    const { chain, docker, run, changeRecipe } = await makeChain();
    const node = await chain.ensureNode(run);
    expect(node).toMatchObject({ origin: 'built', kubernetesVersion: 'v1.34.4' });
    expect(docker.names()).toContain(node.reference);
    expect(await chain.findNode()).toEqual(node);
    changeRecipe();
    expect(await chain.findNode()).toBeUndefined();
  });
});

test('an aborted run ends with its reason', async () => {
  const { chain, built } = await makeChain({ registries: { 'docker.io': noHost } });
  const abort = new AbortController();
  const run = { signal: abort.signal, report: () => abort.abort(new Failure('interrupted')) };
  await expect(chain.ensure('postgres', run)).rejects.toThrow('interrupted');
  expect(built).toEqual([]);
});

/** Empties the cache, as a user would, but keeps the digests. */
async function forget(store: ReturnType<typeof openStore>): Promise<void> {
  const { images, files, blobs } = await store.list();
  await store.remove({
    images: images.map(({ key }) => key),
    files: files.map(({ key }) => key),
    blobs: blobs.map(({ digest }) => digest),
  });
}

test('nothing unfinished is left in the cache', async () => {
  const { chain, cache, run } = await makeChain({ registries: { 'docker.io': dockerIo } });
  await chain.ensure('postgres', run);
  expect(await readdir(join(cache, 'work'))).toEqual([]);
});
