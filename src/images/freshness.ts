import type { Digest } from '../lib/oci.ts';

/** The links from a service's source to its running pods. */
export interface Links {
  /** Hash of the current source. */
  readonly sourceHash: string;
  /** The image that this source was built as; undefined when it was not built, or is no longer in the cache. */
  readonly built: { readonly reference: string; readonly id: Digest } | undefined;
  /** Whether all nodes have that image under its name; undefined when this is not known. */
  readonly isLoaded: boolean | undefined;
  /** The image of each of its pods, by name and ID. */
  readonly running: readonly { readonly reference: string; readonly id: string }[];
  /** Files that were put into the running containers and override those of the image. */
  readonly live?:
    | {
        readonly files: number;
        /** Empty unless all pods have the files of one source. */
        readonly sourceHash: string;
        /** Number of pods with such files, and of all. */
        readonly pods: number;
        readonly of: number;
      }
    | undefined;
}

/** `live`: fresh because of live files, while the image is older. */
export interface Freshness {
  readonly state: 'fresh' | 'live' | 'stale';
  /** The first link of `source = built = loaded = running` that does not hold. */
  readonly broken?: 'built' | 'loaded' | 'running';
  readonly line: string;
}

/** Whether the pods run the current source; undefined while no pod runs. */
export function toFreshness({ sourceHash, built, isLoaded, running, live }: Links): Freshness | undefined {
  const [first] = running;
  if (!first) return undefined;
  if (live) {
    const pods = live.pods < live.of ? ` in ${live.pods} of ${live.of} pods` : '';
    const files = `${live.files} ${live.files === 1 ? 'file' : 'files'}`;
    const over = `${files} over image ${toTag(first.reference)}${pods}`;
    if (pods !== '') return { state: 'stale', broken: 'running', line: `live: ${over}` };
    if (live.sourceHash === sourceHash) return { state: 'live', line: `live: ${over}` };
    return { state: 'stale', broken: 'built', line: `its source has changed since; live: ${over}` };
  }
  if (!built) {
    return { state: 'stale', broken: 'built', line: 'its current source has not been built' };
  }
  const isRunning = running.every(({ id }) => id.endsWith(built.id));
  if (isLoaded === false) {
    const line = isRunning
      ? `runs ${toTag(built.reference)}, which is no longer on its node: the next pod cannot start`
      : `${toTag(built.reference)} is built, but not loaded onto its node`;
    return { state: 'stale', broken: 'loaded', line };
  }
  if (isRunning) return { state: 'fresh', line: `runs ${toTag(built.reference)}, its current source` };
  const other = running.find(({ id }) => !id.endsWith(built.id)) ?? first;
  const line = `runs ${toTag(other.reference)}, but its current source is ${toTag(built.reference)}`;
  return { state: 'stale', broken: 'running', line };
}

function toTag(reference: string): string {
  return reference.slice(reference.lastIndexOf(':') + 1);
}
