import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { importEngineImage } from '../../../src/images/import/import-engine-image.ts';
import { packArchive } from '../../../src/images/store/archive.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { readTar } from '../../../src/images/store/tar.ts';
import { Failure } from '../../../src/lib/failure.ts';
import { type Digest, digestOf, type Image, type Layer, toImageConfig } from '../../../src/lib/oci.ts';
import type { NewContainer } from '../../../src/tools/docker/containers.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

type Entry = Partial<Header> & { readonly name: string; readonly content?: string };

interface EngineLayer {
  readonly instruction: string;
  /** Content of the layer's folder. */
  readonly entries: readonly Entry[];
}

/** An engine with one image of these layers, the lowest first; it saves it with digests of its own. */
async function makeEngine(layers: readonly EngineLayer[], { isOverlay = true, refuses = false } = {}) {
  const store = openStore(await makeTemporaryFolder());
  const own = openStore(await makeTemporaryFolder());
  const blobs: Layer[] = [];
  for (const { entries } of layers) {
    blobs.push(
      await own.putBlob(packLayer(entries.map(({ name, content = '' }) => ({ path: name, content })))),
    );
  }
  const image: Image = { layers: blobs, config: toImageConfig(blobs, { Cmd: ['app'] }, 'amd64') };
  const containers = new Map<string, NewContainer>();
  let saved = 0;
  const reports: string[] = [];
  const docker = {
    findImage: async () => ({
      id: 'sha256:1',
      tags: [],
      digests: [],
      architecture: 'amd64',
      os: 'linux',
      size: 0,
      labels: {},
      layers: blobs.map(({ digest }) => digest),
      config: { Cmd: ['app'], Env: ['A=b'], User: '', Labels: null, AttachStdin: false },
      layerFolders: isOverlay ? layers.map((_, at) => `/overlay/${at}`).toReversed() : [],
    }),
    listHistory: async () => layers.flatMap(({ instruction }) => [instruction, 'ENV A=b']).toReversed(),
    async saveImages() {
      saved += 1;
      return packArchive(own, [{ reference: 'built:1', image }]);
    },
    async createContainer(container: NewContainer) {
      if (refuses) throw new Failure('a container of sha256:1: no such folder');
      containers.set('c1', container);
      return 'c1';
    },
    async readArchive(id: string, path: string) {
      const source = containers.get(id)?.folders?.[path] ?? '';
      const { entries } = layers[Number(source.split('/').at(-1))] as EngineLayer;
      const root = path.slice(1);
      const tar = pack();
      tar.entry({ name: `${root}/`, type: 'directory' });
      for (const { name, content, ...header } of entries) {
        tar.entry({ ...header, name: `${root}/${name}` }, content ?? '');
      }
      tar.finalize();
      return Readable.from(tar);
    },
    async removeContainer(id: string) {
      containers.delete(id);
    },
    readRoot: async () => '/var/lib/docker',
  };
  const run = { signal: new AbortController().signal, report: (line: string) => void reports.push(line) };
  return {
    store,
    own,
    blobs,
    image,
    containers,
    reports,
    savedTimes: () => saved,
    bring: () => importEngineImage({ docker, store }, 'built:1', run),
    async know(count: number) {
      for (const { digest } of blobs.slice(0, count)) await store.putBlob(own.openBlob(digest));
    },
    async listEntries(digest: Digest) {
      const found: string[] = [];
      for await (const entry of readTar(store.openBlob(digest))) {
        const { name, type, linkname } = entry.header;
        found.push([name, type, linkname ?? '', await text(entry)].join(' ').trim());
      }
      return found;
    },
  };
}

const base: EngineLayer = {
  instruction: 'RUN install',
  entries: [{ name: 'usr/bin/node', content: 'node' }],
};
const program: EngineLayer = {
  instruction: 'COPY --from=build /out /srv # buildkit',
  entries: [
    { name: 'srv/main.js', content: 'main' },
    { name: 'srv/also.js', type: 'link', linkname: '.wealist-layer-0/srv/main.js' },
    { name: 'srv/way.js', type: 'symlink', linkname: '/srv/main.js' },
    { name: 'srv/old.js', type: 'character-device' },
  ],
};

test('of an image whose lower layers are cached only the others are read, from their folders', async () => {
  const engine = await makeEngine([base, program]);
  await engine.know(1);
  const { layers, config } = await engine.bring();
  expect(engine.savedTimes()).toBe(0);
  expect(engine.containers.size).toBe(0);
  expect(layers[0]).toEqual(engine.blobs[0]);
  const top = layers[1]?.digest ?? 'sha256:none';
  expect(await engine.listEntries(top)).toEqual([
    'srv/main.js file  main',
    'srv/also.js link srv/main.js',
    'srv/way.js symlink /srv/main.js',
    'srv/.wh.old.js file',
  ]);
  expect(digestOf(await buffer(engine.store.openBlob(top)))).toBe(top);
  expect(JSON.parse(config)).toEqual({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['app'], Env: ['A=b'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  // The next image finds the layers that were packed here.
  await engine.store.putImage('kept', { layers, config });
  expect(await engine.store.findImage('kept')).toEqual({ layers, config });
});

test('several new layers keep their order', async () => {
  const [one, two] = ['one', 'two'].map(
    (name): EngineLayer => ({ instruction: `COPY ${name} /`, entries: [{ name, content: name }] }),
  ) as [EngineLayer, EngineLayer];
  const engine = await makeEngine([base, one, two]);
  await engine.know(1);
  const { layers } = await engine.bring();
  const names = await Promise.all(layers.slice(1).map(({ digest }) => engine.listEntries(digest)));
  expect(names).toEqual([['one file  one'], ['two file  two']]);
});

test.each([
  ['no layer is cached', [base, program], 0, {}, 'none of its layers is cached'],
  [
    'a new layer does not only add files',
    [base, { ...program, instruction: 'RUN rm -r /srv/old' }],
    1,
    {},
    'a new layer was made by RUN rm -r /srv/old',
  ],
  [
    'the engine has neither folders nor files of layers',
    [base, program],
    1,
    { isOverlay: false, refuses: true },
    'a container of sha256:1: no such folder',
  ],
  ['the engine refuses', [base, program], 1, { refuses: true }, 'a container of sha256:1: no such folder'],
])('the whole image is read, and this is reported, when %s', async (_, layers, known, options, reason) => {
  const engine = await makeEngine(layers, options);
  await engine.know(known);
  expect(await engine.bring()).toEqual(engine.image);
  expect(engine.savedTimes()).toBe(1);
  expect(engine.reports).toEqual([`reading the whole image: ${reason}`]);
});

test('an image whose layers are all cached is not read', async () => {
  const engine = await makeEngine([base, program]);
  await engine.know(2);
  expect((await engine.bring()).layers).toEqual(engine.blobs);
  expect(engine.savedTimes()).toBe(0);
});
