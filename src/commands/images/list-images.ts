import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import type { ImageName } from '../../config/catalog.ts';
import { canPull } from '../../images/can-pull.ts';
import type { Origin } from '../../images/chain.ts';
import { toBytes } from '../../lib/bytes.ts';
import type { Image } from '../../lib/oci.ts';
import { outsideImages } from '../../plans/up.ts';
import { measureFolder } from '../../tools/disk.ts';
import { toTable } from '../../ui/table.ts';
import type { Connection } from '../context/up-deps.ts';

interface ListedImage {
  readonly name: string;
  /** Whether `up` of all services needs it. */
  readonly needed: boolean;
  /** Undefined when the image is missing. */
  readonly origin: 'pulled' | 'built from packages' | 'built from source' | undefined;
  readonly reference: string | undefined;
  readonly bytes: number | undefined;
}

interface Listing {
  readonly images: readonly ListedImage[];
  readonly cache: {
    readonly folder: string;
    /** Bytes of images, layers and programs. */
    readonly store: number;
    /** Bytes of Go's build and module caches. */
    readonly go: number;
  };
  /** Bytes of BuildKit's cache in the engine that can be freed; undefined without an engine. */
  readonly buildCache: number | undefined;
}

/** Lists every image of the catalog and of the services, and the disk usage of the cache. */
export async function listImages(app: App, connection: Connection): Promise<Listing> {
  const { paths, exec, signal } = app;
  const needed = await listNeededNames(app, connection);
  const { environment, images, engine, toolchain } = connection;
  // Each folder is measured once, since walking Go's caches takes seconds.
  const measure = (name: string) => measureFolder(exec, join(paths.cache, name), signal);
  const names = [...Object.keys(images.catalog), ...Object.keys(environment.services)];
  const [rows, go, store, buildCache] = await Promise.all([
    Promise.all(names.map((name) => toRow(name, needed.includes(name), connection))),
    measure('go'),
    Promise.all(['blobs', 'files', 'images'].map(measure)),
    engine && toolchain.docker.measureBuildCache({ signal }),
  ]);
  return {
    images: rows,
    cache: { folder: paths.cache, store: store.reduce((total, each) => total + each, 0), go },
    buildCache,
  };
}

/** Names of the images that `up` of all services needs. */
export async function listNeededNames(app: App, connection: Connection): Promise<readonly string[]> {
  const { environment, record, selection } = connection;
  const { extras = [], lacking = [] } = record ?? {};
  const { controller } = environment.ingress;
  const chosen = controller === 'auto' ? (record?.controller ?? (await chooseController())) : controller;
  return [
    'node',
    ...outsideImages(selection, {
      controller: chosen,
      extras: [...extras, ...environment.with],
      lacking,
    }),
    ...selection.services,
  ];

  async function chooseController() {
    return (await canPull('registry.k8s.io', environment, app)) ? 'nginx' : 'traefik';
  }
}

async function toRow(
  name: string,
  needed: boolean,
  { images: { catalog, chain }, serviceImages, engine, toolchain }: Connection,
): Promise<ListedImage> {
  const found =
    name === 'node' ? await findNode() : name in catalog ? await findOutside() : await findService();
  return { origin: undefined, reference: undefined, bytes: undefined, ...found, name, needed };

  async function findNode() {
    const node = engine && (await chain.findNode());
    if (!node) return undefined;
    const details = await toolchain.docker.findImage(node.reference);
    return { origin: toOrigin(node.origin), reference: node.reference, bytes: details?.size };
  }

  async function findOutside() {
    const image = await chain.find(name as ImageName);
    if (!image) return undefined;
    return { origin: toOrigin(image.origin), reference: image.reference, bytes: sumLayers(image.image) };
  }

  async function findService() {
    const image = await serviceImages.find(name);
    if (!image) return undefined;
    const { reference } = image;
    return { origin: 'built from source' as const, reference, bytes: sumLayers(image.image) };
  }
}

function toOrigin(origin: Origin): ListedImage['origin'] {
  return origin === 'pulled' ? 'pulled' : 'built from packages';
}

function sumLayers({ layers }: Image): number {
  return layers.reduce((total, { size }) => total + size, 0);
}

export function describeImages({ images, cache, buildCache }: Listing): string {
  const rows = images.map(({ name, needed, origin, reference, bytes }) => [
    name,
    needed ? 'needed' : '',
    origin ?? 'missing',
    bytes === undefined ? '' : toBytes(bytes),
    reference ?? '',
  ]);
  const { folder, store, go } = cache;
  const disk = `${folder}: ${toBytes(store)} of images and programs, ${toBytes(go)} of Go's caches`;
  const engine =
    buildCache === undefined ? [] : [`container engine: ${toBytes(buildCache)} of BuildKit's cache`];
  return [`${toTable(rows, ['image', '', 'origin', 'size', 'reference'])}\n`, disk, ...engine].join('\n');
}
