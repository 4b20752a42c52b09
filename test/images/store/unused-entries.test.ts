import { describe, expect, test } from 'vitest';
import type { StoreContents } from '../../../src/images/store/store.ts';
import { findOldServiceImages, findUnusedEntries } from '../../../src/images/store/unused-entries.ts';
import { type Digest, digestOf, type Image } from '../../../src/lib/oci.ts';
import { versions } from '../../../src/tools/versions.ts';

const now = Date.parse('2026-10-01T12:00:00Z');
const hour = 60 * 60 * 1000;
/** Not used for 15 days. */
const old = now - 15 * 24 * hour;

const toImage = (...layers: readonly string[]): Image => ({
  config: '{}',
  layers: layers.map((layer) => ({ digest: digestOf(layer), size: 1 })),
});

const toBlob = (content: string, age = 2 * hour) => {
  return { digest: digestOf(content), bytes: 1, modified: now - age };
};

function find(contents: Partial<StoreContents>, needed: { images?: string[]; files?: string[] } = {}) {
  return findUnusedEntries(
    { images: [], files: [], blobs: [], ...contents },
    { images: new Set(needed.images), files: new Set(needed.files) },
    now,
  );
}

const toEntry = (key: string, image: Image | undefined = toImage(), modified = old) => ({
  key,
  image,
  modified,
});

describe('images', () => {
  test('of previous recipes and catalogs are unused, those of the current ones are not', () => {
    const { images } = find(
      {
        images: [
          'built-redis-old',
          'built-redis-new',
          'pulled-redis-old',
          'pulled-redis-new',
          'debian-trixie-old',
        ].map((key) => toEntry(key)),
      },
      { images: ['built-redis-new', 'pulled-redis-new'] },
    );
    expect(images).toEqual(['built-redis-old', 'pulled-redis-old', 'debian-trixie-old']);
  });

  test('of a service are unused, but for its three latest', () => {
    const of = (name: string, count: number) =>
      Array.from({ length: count }, (_, age) =>
        toEntry(`service-${name}-${age}`, toImage(), old - age * hour),
      );
    const { images } = find({ images: [...of('auth-service', 5).reverse(), ...of('auth', 2)] });
    expect(images).toEqual(['service-auth-service-4', 'service-auth-service-3']);
  });

  test('that a checkout has used in the last 14 days are used', () => {
    const recent = now - 13 * 24 * hour;
    const services = Array.from({ length: 5 }, (_, at) => toEntry(`service-auth-${at}`, toImage(), recent));
    const images = [toEntry('built-redis-theirs', toImage(), recent), ...services];
    const files = ['kube-theirs', 'kind-0.1.0-linux-amd64'].map((key) => ({
      key,
      bytes: 1,
      modified: recent,
    }));
    expect(find({ images, files }, { files: ['kube-own'] })).toMatchObject({ images: [], files: [] });
  });

  test('of an unknown kind stay', () => {
    expect(find({ images: [toEntry('volume-snapshot-1')] }).images).toEqual([]);
  });

  test('that cannot be read are unused', () => {
    expect(find({ images: [{ key: 'volume-snapshot-1', image: undefined, modified: now }] }).images).toEqual([
      'volume-snapshot-1',
    ]);
  });
});

describe('programs', () => {
  test('of a recipe are unused when they are built from another source', () => {
    const files = ['kube-old', 'kube-new', 'kind-whatever'].map((key) => ({ key, bytes: 1, modified: old }));
    expect(find({ files }, { files: ['kube-new'] }).files).toEqual(['kube-old']);
  });

  test('that are released tools are unused when they have another version', () => {
    const keys = [
      `kind-${versions.kind}-linux-amd64`,
      'kind-0.1.0-linux-amd64',
      `helm-${versions.helm}-linux-amd64`,
    ];
    const files = keys.map((key) => ({ key, bytes: 1, modified: old }));
    expect(find({ files }).files).toEqual(['kind-0.1.0-linux-amd64']);
  });
});

describe('layers', () => {
  const digests = (...contents: readonly string[]): readonly Digest[] =>
    contents.map((each) => digestOf(each));

  test('are used while a used image has them', () => {
    const { blobs } = find({
      images: [
        toEntry('service-auth-1', toImage('base', 'own')),
        toEntry('built-service-base-old', toImage('base', 'old')),
      ],
      blobs: ['base', 'own', 'old', 'nobody'].map((each) => toBlob(each)),
    });
    expect(blobs).toEqual(digests('old', 'nobody'));
  });

  test('that are new are used: their image may not be written yet', () => {
    const { blobs } = find({ blobs: [toBlob('new', hour / 2), toBlob('old')] });
    expect(blobs).toEqual(digests('old'));
  });
});

describe('the images of a service that is reloaded', () => {
  const images = [0, 1, 2, 3, 4].map((age) =>
    toEntry(`service-noti-service-${age}`, toImage(`layer ${age}`), now - age * hour),
  );
  const contents = { images, files: [], blobs: [0, 1, 2, 3, 4].map((age) => toBlob(`layer ${age}`)) };

  test('but for the latest are removed, with layers that no other image has', () => {
    expect(findOldServiceImages(contents, 'noti-service', now)).toEqual({
      images: ['service-noti-service-3', 'service-noti-service-4'],
      files: [],
      blobs: [digestOf('layer 3'), digestOf('layer 4')],
    });
  });

  test('stay while another checkout may be loading them', () => {
    const young = images.map((entry, at) => ({ ...entry, modified: now - at }));
    expect(findOldServiceImages({ ...contents, images: young }, 'noti-service', now)).toEqual({
      images: [],
      files: [],
      blobs: [],
    });
  });

  test('are those of no other service', () => {
    expect(findOldServiceImages(contents, 'user-service', now).images).toEqual([]);
  });
});
