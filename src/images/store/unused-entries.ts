import type { Digest } from '../../lib/oci.ts';
import { versions } from '../../tools/versions.ts';
import type { StoreContents, StoreEntries } from './store.ts';

/** The keys of entries that this checkout uses. */
export interface NeededKeys {
  /** Keys of images, root file systems of Debian packages included. */
  readonly images: ReadonlySet<string>;
  /** Keys of Go programs. */
  readonly files: ReadonlySet<string>;
}

/** Images cached per service: a source is often changed back to a recent state; older ones are rebuilt in a second. */
const cachedPerService = 3;

/** Milliseconds for which a new entry counts as used: its layer may not have its image yet, or the image be loading. */
const inUsePeriod = 60 * 60 * 1000;

/** Milliseconds without use after which no checkout is expected to need an entry. */
export const unusedPeriod = 14 * 24 * 60 * 60 * 1000;

/**
 * The entries that no checkout uses: of those that this one does not need (of other recipes, catalogs and tools, and all
 * but the latest images of each service), the ones that no checkout has used for 14 days; and layers without an image.
 * Entries of any other kind stay.
 */
export function findUnusedEntries(contents: StoreContents, needed: NeededKeys, now: number): StoreEntries {
  const programs = new Set([...needed.files].map(toFamily));
  const latest = new Set(findLatest(contents));
  const isOld = ({ modified }: { readonly modified: number }) => now - modified > unusedPeriod;
  const images = contents.images.filter((entry) => {
    const { key, image } = entry;
    if (image === undefined) return true;
    if (!isOld(entry)) return false;
    if (key.startsWith('service-')) return !latest.has(key);
    return /^(pulled|built|debian|packages|hostbase)-/.test(key) && !needed.images.has(key);
  });
  const files = contents.files.filter(
    (entry) =>
      isOld(entry) &&
      (isOldTool(entry.key) || (programs.has(toFamily(entry.key)) && !needed.files.has(entry.key))),
  );
  const dropped = new Set(images);
  const used = new Set(contents.images.filter((each) => !dropped.has(each)).flatMap(listLayers));
  const blobs = contents.blobs.filter(
    ({ digest, modified }) => !used.has(digest) && now - modified > inUsePeriod,
  );
  return {
    images: images.map(({ key }) => key),
    files: files.map(({ key }) => key),
    blobs: blobs.map(({ digest }) => digest),
  };
}

/**
 * The images of one service but the latest, with the layers that no other image has. Recent entries stay, since checkouts
 * share the store and another one may be loading them.
 */
export function findOldServiceImages(contents: StoreContents, service: string, now: number): StoreEntries {
  const latest = new Set(findLatest(contents));
  const old = contents.images.filter(
    ({ key, modified }) =>
      toFamily(key) === `service-${service}` && !latest.has(key) && now - modified > inUsePeriod,
  );
  const dropped = new Set(old);
  const used = new Set(contents.images.filter((each) => !dropped.has(each)).flatMap(listLayers));
  const own = new Set(old.flatMap(listLayers));
  const blobs = contents.blobs.filter(
    ({ digest, modified }) => own.has(digest) && !used.has(digest) && now - modified > inUsePeriod,
  );
  return { images: old.map(({ key }) => key), files: [], blobs: blobs.map(({ digest }) => digest) };
}

function listLayers({ image }: StoreContents['images'][number]): readonly Digest[] {
  return image?.layers.map(({ digest }) => digest) ?? [];
}

/** A tool's release of another version, cached as `kind-0.33.0-linux-amd64`. */
function isOldTool(key: string): boolean {
  const [, tool, version] = /^(kind|kubectl|helm)-(\d+\.\d+\.\d+)-/.exec(key) ?? [];
  const wanted = { kind: versions.kind, kubectl: versions.kubernetes, helm: versions.helm };
  return tool !== undefined && wanted[tool as keyof typeof wanted] !== version;
}

/** `kube-775d147b22fa6aa4` → `kube` */
function toFamily(key: string): string {
  return key.slice(0, key.lastIndexOf('-'));
}

function findLatest({ images }: StoreContents): readonly string[] {
  const services = new Map<string, string[]>();
  for (const { key } of [...images].sort((a, b) => b.modified - a.modified)) {
    if (!key.startsWith('service-')) continue;
    services.set(toFamily(key), [...(services.get(toFamily(key)) ?? []), key]);
  }
  return [...services.values()].flatMap((keys) => keys.slice(0, cachedPerService));
}
