import type { Digest } from './oci.ts';

/** An image's full name, as a registry knows it. */
export interface Reference {
  /** Host, with a port where it is not 443: `docker.io`. */
  readonly registry: string;
  /** Path in the registry: `library/postgres`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest?: Digest;
}

const form = /^([^/]*[.:][^/]*|localhost)\/([^:@]+):([^:@]+)(?:@(sha256:[0-9a-f]{64}))?$/;

/** The parts of a full reference; undefined when the registry or the tag is missing. */
export function toReference(text: string): Reference | undefined {
  const [, registry, repository, tag, digest] = form.exec(text) ?? [];
  if (!registry || !repository || !tag) return undefined;
  return { registry, repository, tag, ...(digest ? { digest: digest as Digest } : {}) };
}

/**
 * The full reference that Docker means by a short one: `postgis/postgis:17` is `docker.io/postgis/postgis:17`. Undefined
 * for one without a tag.
 */
export function toFullReference(text: string): string | undefined {
  const [first = '', ...rest] = text.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const full = hasRegistry ? text : `docker.io/${rest.length === 0 ? 'library/' : ''}${text}`;
  return toReference(full) && full;
}

/** `docker.io/library/postgres:17.6-bookworm` */
export function toTagged({ registry, repository, tag }: Reference): string {
  return `${registry}/${repository}:${tag}`;
}

/** `docker.io/library/postgres@sha256:…` */
export function toDigested({ registry, repository }: Reference, digest: Digest): string {
  return `${registry}/${repository}@${digest}`;
}
