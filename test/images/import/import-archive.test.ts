import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { importArchive } from '../../../src/images/import/import-archive.ts';
import { packArchive } from '../../../src/images/store/archive.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { type Digest, digestOf, imageId, toImageConfig } from '../../../src/lib/oci.ts';
import { toZstd } from '../../fakes/zstd.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const recording = join(import.meta.dirname, '../../recordings/docker-20.10-save.tar');

const makeLayer = (content: string) => buffer(packLayer([{ path: 'file', content }]));

/** An OCI layout as Docker 25 and later save it, its layers under the digests of what is stored. */
async function makeLayout(
  layers: readonly { readonly stored: Buffer; readonly diffId: Digest }[],
  changes: { readonly config?: string; readonly manifest?: string } = {},
): Promise<Readable> {
  const config =
    changes.config ??
    JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } });
  const blob = (content: string | Buffer) => `blobs/${digestOf(content).replace(':', '/')}`;
  const tar = pack();
  for (const { stored } of layers) tar.entry({ name: blob(stored) }, stored);
  tar.entry({ name: blob(config) }, config);
  tar.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
  const manifest = [
    { Config: blob(config), RepoTags: null, Layers: layers.map(({ stored }) => blob(stored)) },
  ];
  tar.entry({ name: 'manifest.json' }, changes.manifest ?? JSON.stringify(manifest));
  tar.finalize();
  return Readable.from(tar);
}

async function openTemporaryStore() {
  return openStore(await makeTemporaryFolder());
}

describe('an archive of Docker 20.10', () => {
  test('is an image whose repeated layer is stored once', async () => {
    const store = await openTemporaryStore();
    const image = await importArchive(createReadStream(recording), store);
    expect(imageId(image)).toBe('sha256:85004f33605c46f410db59fd1771e950916c63d5707801a68c6bfbe3eaffed54');
    const { rootfs } = JSON.parse(image.config) as { rootfs: { diff_ids: readonly string[] } };
    expect(image.layers.map(({ digest }) => digest)).toEqual(rootfs.diff_ids);
    expect(image.layers).toHaveLength(3);
    const { blobs } = await store.list();
    expect(blobs).toHaveLength(2);
    await store.putImage('kept', image);
    expect(await store.findImage('kept')).toEqual(image);
  });

  test('that is truncated is a failure, not a shorter image', async () => {
    const whole = await readFile(recording);
    const half = Readable.from([whole.subarray(0, whole.length / 2)]);
    await expect(importArchive(half, await openTemporaryStore())).rejects.toMatchObject({ exitCode: 7 });
  });

  test('whose stream fails is a failure with the reason', async () => {
    const breaking = Readable.from(
      (async function* () {
        yield (await readFile(recording)).subarray(0, 1024);
        throw new Error('the engine went away');
      })(),
    );
    await expect(importArchive(breaking, await openTemporaryStore())).rejects.toMatchObject({
      message: expect.stringContaining('it is incomplete or damaged'),
      cause: expect.objectContaining({ message: 'the engine went away' }),
    });
  });
});

describe('an OCI layout', () => {
  test('is read as this program writes it', async () => {
    const [from, to] = [await openTemporaryStore(), await openTemporaryStore()];
    const layers = [await from.putBlob(packLayer([{ path: 'a', content: 'x'.repeat(10_000) }]))];
    const image = { layers, config: toImageConfig(layers, { Cmd: ['a'] }, 'amd64') };
    const archive = packArchive(from, [{ reference: 'wealist.local/a:1', image }]);
    expect(await importArchive(archive, to)).toEqual(image);
    const [layer] = layers;
    expect(layer && (await text(to.openBlob(layer.digest)))).toContain('x'.repeat(10_000));
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', toZstd],
  ])(
    'with layers compressed by %s is stored uncompressed, so that digest and diff ID are equal',
    async (_, compress) => {
      const small = await makeLayer('small');
      // Random, so that it stays larger than what is read into memory.
      const noise = await buffer(packLayer([{ path: 'noise', content: randomBytes(4_500_000) }]));
      const stored = [small, noise].map((tar) => ({ stored: compress(tar), diffId: digestOf(tar) }));
      const store = await openTemporaryStore();
      const image = await importArchive(await makeLayout(stored), store);
      expect(image.layers).toEqual(
        [small, noise].map((tar) => ({ digest: digestOf(tar), size: tar.length })),
      );
    },
  );

  test.each([
    [
      'a layer that is another one',
      async () => {
        const tar = await makeLayer('true');
        return makeLayout([{ stored: tar, diffId: digestOf('false') }]);
      },
      'its configuration names sha256:',
    ],
    [
      'a damaged compressed layer',
      async () => {
        const tar = await makeLayer('true');
        const stored = gzipSync(tar);
        return makeLayout([{ stored: stored.subarray(0, stored.length - 12), diffId: digestOf(tar) }]);
      },
      'it is incomplete or damaged',
    ],
    [
      'a damaged layer compressed with zstd',
      async () => {
        const tar = await makeLayer('true');
        return makeLayout([{ stored: toZstd(tar).subarray(0, -12), diffId: digestOf(tar) }]);
      },
      'it is incomplete or damaged',
    ],
    [
      'fewer layers than its configuration names',
      () => {
        return makeLayout([], { config: JSON.stringify({ rootfs: { diff_ids: [digestOf('')] } }) });
      },
      'it has 0 layers',
    ],
    [
      'two images',
      () => makeLayout([], { manifest: '[{"Config":"a","Layers":[]},{"Config":"b","Layers":[]}]' }),
      '2 images',
    ],
    [
      'a configuration that is missing',
      () => makeLayout([], { manifest: '[{"Config":"a","Layers":[]}]' }),
      'configuration a is missing',
    ],
    ['an invalid manifest', () => makeLayout([], { manifest: '{}' }), 'manifest.json is invalid'],
  ])('with %s is refused', async (_, makeArchive, message) => {
    const archive = await makeArchive();
    await expect(importArchive(archive, await openTemporaryStore())).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 7,
    });
  });

  test('without a manifest.json is refused', async () => {
    const tar = pack();
    tar.entry({ name: 'index.json' }, '{}');
    tar.finalize();
    await expect(importArchive(Readable.from(tar), await openTemporaryStore())).rejects.toThrow(
      'it has no manifest.json',
    );
  });
});
