import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { importEngineImage } from '../../../src/images/import/import-engine-image.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { Failure } from '../../../src/lib/failure.ts';
import { type Digest, digestOf, toImageConfig } from '../../../src/lib/oci.ts';
import type { NewContainer } from '../../../src/tools/docker/containers.ts';
import { toZstd } from '../../fakes/zstd.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const ownFolder = '/data/docker/containerd/daemon/io.containerd.content.v1.content/blobs/sha256';
const systemFolder = '/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256';

interface Options {
  /** Where the engine's containerd has its content. */
  readonly folder?: string;
  /** Whether the image is one of several manifests, as buildx makes it. */
  readonly isIndex?: boolean;
  /** Replaces the content of a layer's file. */
  readonly damage?: (stored: Buffer) => Buffer;
}

/** An engine with containerd's image store, and one image of three layers: stored as they are, by gzip and by zstd. */
async function makeEngine({ folder = ownFolder, isIndex = true, damage = (stored) => stored }: Options = {}) {
  const store = openStore(await makeTemporaryFolder());
  const files = new Map<string, Buffer>();
  const put = (content: Buffer | string) => {
    const digest = digestOf(content);
    files.set(digest, Buffer.from(content));
    return { digest };
  };
  const tars = await Promise.all(
    ['base', 'middle', 'top'].map((name) => buffer(packLayer([{ path: name, content: name.repeat(1_000) }]))),
  );
  const layers = tars.map((tar) => ({ digest: digestOf(tar), size: tar.length }));
  const stored = tars.map((tar, at) => put([tar, gzipSync(tar), toZstd(tar)][at] ?? tar));
  const top = stored[2]?.digest ?? '';
  files.set(top, damage(files.get(top) ?? Buffer.alloc(0)));
  const config = toImageConfig(layers, { Cmd: ['app'] }, 'amd64');
  const manifest = put(JSON.stringify({ config: put(config), layers: stored }));
  const attestation = put(JSON.stringify({ config: put('{}'), layers: [] }));
  const manifests = [
    { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
    { ...manifest, platform: { os: 'linux', architecture: 'amd64' } },
  ];
  const id = isIndex ? put(JSON.stringify({ manifests })).digest : manifest.digest;

  const containers = new Map<string, NewContainer>();
  const read: string[] = [];
  const reports: string[] = [];
  const docker = {
    findImage: async () => ({
      ...{ id, tags: [], digests: [], architecture: 'amd64', os: 'linux', size: 0, labels: {}, config: {} },
      layers: layers.map(({ digest }) => digest),
      layerFolders: [],
    }),
    listHistory: async () => [],
    async saveImages(): Promise<Readable> {
      throw new Failure('the whole image is read');
    },
    async createContainer(container: NewContainer) {
      if (!Object.values(container.folders ?? {}).includes(folder)) throw new Failure('no such folder');
      containers.set('c1', container);
      return 'c1';
    },
    async readArchive(_: string, path: string) {
      const digest: Digest = `sha256:${path.split('/').at(-1)}`;
      const content = files.get(digest);
      if (!content) throw new Failure(`${path} does not exist`);
      read.push(digest);
      const tar = pack();
      tar.entry({ name: digest }, content);
      tar.finalize();
      return Readable.from(tar);
    },
    async removeContainer(name: string) {
      containers.delete(name);
    },
    readRoot: async () => '/data/docker',
  };
  const run = { signal: new AbortController().signal, report: (line: string) => void reports.push(line) };
  return {
    ...{ store, tars, containers, reports, image: { config, layers } },
    layersRead: () => stored.filter(({ digest }) => read.includes(digest)).length,
    bring: () => importEngineImage({ docker, store }, 'built:1', run),
  };
}

test.each([
  ['started by the engine', { folder: ownFolder }],
  ['of the system', { folder: systemFolder }],
  ['with one manifest', { isIndex: false }],
])('an image of a containerd %s is read from its files, and no layer twice', async (_, options) => {
  const engine = await makeEngine(options);
  await engine.store.putBlob(Readable.from(engine.tars.slice(0, 1)));
  expect(await engine.bring()).toEqual(engine.image);
  expect(engine.layersRead()).toBe(2);
  expect(await engine.bring()).toEqual(engine.image);
  expect(engine.layersRead()).toBe(2);
  expect(engine.containers.size).toBe(0);
  expect(engine.reports).toEqual([]);
  await engine.store.putImage('built', engine.image);
  expect(await engine.store.findImage('built')).toEqual(engine.image);
});

test('a layer with another content than the image names is not used', async () => {
  const engine = await makeEngine({ damage: () => toZstd(Buffer.from('something else')) });
  await expect(engine.bring()).rejects.toThrow('the whole image is read');
  expect(engine.reports[0]).toMatch(/^reading the whole image: its layer sha256:\w+ is sha256:/);
  expect(engine.containers.size).toBe(0);
});

test('a file that is cut off is not used', async () => {
  const engine = await makeEngine({ damage: (stored) => stored.subarray(0, -12) });
  await expect(engine.bring()).rejects.toThrow('the whole image is read');
  expect(engine.reports).toHaveLength(1);
});
