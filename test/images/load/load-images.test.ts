import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { loadImages } from '../../../src/images/load/load-images.ts';
import { openServiceLoad } from '../../../src/images/load/service-load.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { readTar } from '../../../src/images/store/tar.ts';
import { CommandFailure } from '../../../src/lib/failure.ts';
import { type Digest, digestOf, toChainIds, toImageConfig, toManifest } from '../../../src/lib/oci.ts';
import type { Nodes } from '../../../src/tools/docker/nodes.ts';
import { deleteImages, selectImages } from '../../fakes/node-image-store.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const failed = (message: string) =>
  new CommandFailure(message, { argv: ['ctr'], status: 1, stdout: '', stderr: message });

/** Nodes whose containerd unpacks what it receives, and refuses an image whose layer it neither receives nor has. */
function makeNodes(...names: readonly string[]) {
  const nodes = new Map(
    names.map((name) => [
      name,
      { images: new Map<string, Digest>(), layers: new Set<Digest>(), lost: false, bytes: 0, imports: 0 },
    ]),
  );
  const getNode = (name: string) => nodes.get(name) ?? Promise.reject(new Error(`no node ${name}`));
  const closed: string[] = [];

  async function importImages(name: string, archive: Readable) {
    const node = await getNode(name);
    node.imports += 1;
    const content = await buffer(archive);
    node.bytes += content.length;
    const blobs = new Map<string, string>();
    for await (const entry of readTar(Readable.from([content]))) {
      blobs.set(entry.header.name, (await buffer(entry)).toString('latin1'));
    }
    if (node.lost) {
      node.lost = false;
      node.layers.clear();
    }
    const { manifests } = JSON.parse(blobs.get('index.json') ?? '') as {
      manifests: { digest: Digest; annotations: Record<string, string> }[];
    };
    for (const { digest, annotations } of manifests) {
      const reference = annotations['io.containerd.image.name'] ?? '';
      node.images.set(reference, digest);
      const read = (each: Digest) => blobs.get(`blobs/${each.replace(':', '/')}`);
      const { layers } = JSON.parse(read(digest) ?? '') as { layers: { digest: Digest; size: number }[] };
      const chain = toChainIds(layers);
      layers.forEach((layer, at) => {
        const id = chain[at] as Digest;
        if (read(layer.digest) === undefined && !node.layers.has(id)) {
          throw failed(`content digest ${layer.digest}: not found`);
        }
        node.layers.add(id);
      });
    }
    return node.images;
  }

  const port: Pick<Nodes, 'list' | 'openLoad' | 'removeImages'> = {
    async list(name, query) {
      const { images, layers } = await getNode(name);
      return { images: selectImages(images, query), layers: new Set(layers) };
    },
    openLoad: (name, query, signal) => ({
      content: port.list(name, query, signal),
      importImages: async (archive) => selectImages(await importImages(name, archive), query),
      close: () => void closed.push(name),
    }),
    async removeImages(name, removed) {
      deleteImages((await getNode(name)).images, removed);
    },
  };
  return { nodes, closed, port: port as Nodes };
}

const repository = 'wealist.local/a-service';

async function makeImages() {
  const store = openStore(await makeTemporaryFolder());
  const base = await store.putBlob(packLayer([{ path: 'base', content: 'x'.repeat(300_000) }]));
  const make = async (content: string) => {
    const layers = [base, await store.putBlob(packLayer([{ path: 'own', content }]))];
    const image = { layers, config: toImageConfig(layers, {}, 'amd64') };
    return { reference: `${repository}:${content}`, image };
  };
  return { store, make };
}

function makeRun() {
  const reports: string[] = [];
  return { reports, signal: new AbortController().signal, report: (line: string) => void reports.push(line) };
}

test('each node receives only the layers that it lacks', async () => {
  const { store, make } = await makeImages();
  const { nodes, port } = makeNodes('one', 'two');
  const run = makeRun();
  await loadImages([await make('first')], 'one', { nodes: port, store }, run);
  const whole = nodes.get('one')?.bytes ?? 0;
  expect(whole).toBeGreaterThan(300_000);

  const second = await make('second');
  const load = openServiceLoad({ nodes: port, store, nodeNames: ['one', 'two'] }, repository, run.signal);
  await load.load(second, run);
  for (const { images } of nodes.values()) {
    expect(images.get(second.reference)).toBe(digestOf(toManifest(second.image)));
  }
  expect((nodes.get('one')?.bytes ?? 0) - whole).toBeLessThan(20_000);
  expect(nodes.get('two')?.bytes).toBeGreaterThan(300_000);
});

test('an image that the node has is not sent again', async () => {
  const { store, make } = await makeImages();
  const { nodes, closed, port } = makeNodes('one');
  const image = await make('first');
  for (let round = 0; round < 2; round += 1) {
    await loadImages([image], 'one', { nodes: port, store }, makeRun());
  }
  expect(nodes.get('one')?.imports).toBe(1);
  expect(closed).toEqual(['one']);
});

test('all layers are sent, and this is reported, when the node has removed one meanwhile', async () => {
  const { store, make } = await makeImages();
  const { nodes, port } = makeNodes('one');
  await loadImages([await make('first')], 'one', { nodes: port, store }, makeRun());
  const node = nodes.get('one');
  if (node) node.lost = true;
  const run = makeRun();
  const second = await make('second');
  await loadImages([second], 'one', { nodes: port, store }, run);
  expect(run.reports.at(-1)).toBe('a layer was removed from the node meanwhile: loading all layers');
  expect(node?.images.get(second.reference)).toBe(digestOf(toManifest(second.image)));
});

test("old images of a service are removed but for those named, and other services' images are not", async () => {
  const { store, make } = await makeImages();
  const { nodes, port } = makeNodes('one');
  const old = await Promise.all(['1', '2', '3', '4'].map(make));
  await loadImages(old, 'one', { nodes: port, store }, makeRun());
  const images = nodes.get('one')?.images ?? new Map<string, Digest>();
  for (const [at, { image }] of old.entries()) images.set(`sha256:id-${at + 1}`, digestOf(toManifest(image)));
  images.set('wealist.local/a-service-2:1', 'sha256:other');
  images.set('sha256:other-id', 'sha256:other');

  const load = openServiceLoad({ nodes: port, store, nodeNames: ['one'] }, repository, makeRun().signal);
  const keep = new Set(['3', '4'].map((name) => `wealist.local/a-service:${name}`));
  const newest = await make('5');
  await load.load(newest, makeRun());
  await load.removeOld(newest, keep, makeRun());
  expect([...images.keys()].sort()).toEqual([
    'sha256:id-3',
    'sha256:id-4',
    'sha256:other-id',
    'wealist.local/a-service-2:1',
    'wealist.local/a-service:3',
    'wealist.local/a-service:4',
    'wealist.local/a-service:5',
  ]);
});

test('an older image that cannot be removed does not fail the reload', async () => {
  const { store, make } = await makeImages();
  const { port } = makeNodes('one');
  await loadImages([await make('1')], 'one', { nodes: port, store }, makeRun());
  const stubborn = { ...port, removeImages: () => Promise.reject(failed('it is in use')) };
  const run = makeRun();
  const load = openServiceLoad({ nodes: stubborn, store, nodeNames: ['one'] }, repository, run.signal);
  await load.removeOld(await make('2'), new Set(), run);
  expect(run.reports).toContain('older images were not removed from the node: it is in use');
});
