import { z } from 'zod';
import { toReference } from '../lib/reference.ts';
import { imageReference } from './image-reference.ts';
import { loadFile } from './load-file.ts';

const Entry = z.strictObject(
  {
    pull: imageReference.refine(
      (text) => toReference(text) !== undefined,
      'an image with its registry and tag, such as docker.io/library/postgres:17.5-alpine',
    ),
    build: z.boolean('true or false: whether images/<name>/recipe.ts builds it from packages'),
  },
  'the keys of an image: pull, build',
);

const Catalog = z.strictObject(
  {
    node: Entry,
    'service-base': Entry,
    postgres: Entry,
    redis: Entry,
    s3: Entry,
    traefik: Entry,
    argocd: Entry,
    nginx: Entry,
    'metrics-server': Entry,
    prometheus: Entry,
    loki: Entry,
    'victoria-logs': Entry,
    'log-shipper': Entry,
    grafana: Entry,
  },
  'one entry per image',
);

/** `images/catalog.yaml`: every third-party image, and where it can be obtained. */
export type Catalog = Readonly<Record<keyof z.infer<typeof Catalog>, CatalogEntry>>;

export interface CatalogEntry extends Readonly<z.infer<typeof Entry>> {
  /** Whether it is the user's, in place of the catalog's (own-images.ts). */
  readonly own?: boolean;
}

/** The images that are loaded onto the cluster's nodes. */
export type ImageName = Exclude<keyof Catalog, 'node'>;

/** Names under `images` in Helm values, in addition to services. */
export const imageNames: readonly string[] = Object.keys(Catalog.shape).filter((name) => name !== 'node');

/** @throws {ConfigFailure} with all problems of the file, each with its place. */
export function loadCatalog(checkout: string): Promise<Catalog> {
  return loadFile({ checkout, file: 'images/catalog.yaml', schema: Catalog });
}
