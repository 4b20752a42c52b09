import { expect, test } from 'vitest';
import { findMissingImages, toLayerDelta } from '../../../src/images/load/delta.ts';
import {
  type Digest,
  digestOf,
  type Image,
  type Layer,
  toChainIds,
  toImageConfig,
  toManifest,
} from '../../../src/lib/oci.ts';

const layer = (content: string): Layer => ({ digest: digestOf(content), size: content.length });
const [base, own, other] = [layer('base'), layer('own'), layer('other')];

function name(reference: string, ...layers: readonly Layer[]) {
  const image: Image = { layers, config: toImageConfig(layers, {}, 'amd64') };
  return { reference, image };
}

test('an image is missing when the node has another content under its reference, or none', () => {
  const [first, second] = [name('a:1', base), name('a:2', base, own)];
  const images = new Map([
    ['a:1', digestOf(toManifest(first.image))],
    ['a:2', digestOf(toManifest(first.image))],
  ]);
  expect(findMissingImages([first, second, name('a:3', base)], { images })).toEqual([
    second,
    name('a:3', base),
  ]);
});

test('a layer that the node has unpacked, or as a blob, is not sent', () => {
  const image = name('a:1', base, own, other);
  const [unpacked] = toChainIds(image.image.layers);
  const { sent, skipped } = toLayerDelta([image], new Set([unpacked as Digest, other.digest]));
  expect(sent).toEqual([own]);
  expect(skipped).toEqual(new Set([base.digest, other.digest]));
});

test('a layer that is unpacked for one image and missing for another is sent', () => {
  const [one, two] = [name('a:1', base, own), name('b:1', other, own)];
  const { sent } = toLayerDelta([one, two], new Set(toChainIds(one.image.layers)));
  expect(sent).toEqual([own, other]);
});

test('layers that images share are sent once', () => {
  expect(toLayerDelta([name('a:1', base, own), name('b:1', base, other)], new Set()).sent).toEqual([
    base,
    own,
    other,
  ]);
});
