import type { Digest } from '../lib/oci.ts';

/** From a service's source to what runs, each link as it was found. */
export interface Links {
  /** Of the source as it is now. */
  readonly sourceHash: string;
  /** What that source was built to; undefined when it was not, or the cache does not have it any more. */
  readonly built: { readonly reference: string; readonly id: Digest } | undefined;
  /** Whether all nodes have that image under its name; undefined where they could not be asked. */
  readonly isLoaded: boolean | undefined;
  /** What each of its pods runs, the image by name and ID. */
  readonly running: readonly { readonly reference: string; readonly id: string }[];
  /** Files that were put into the running container, over those of its image. */
  readonly live?: { readonly files: number; readonly sourceHash: string } | undefined;
}

/** `live`: fresh, but not by its image. */
export interface Freshness {
  readonly state: 'fresh' | 'live' | 'stale';
  /** The first link that does not hold: source = built = loaded = running. */
  readonly broken?: 'built' | 'loaded' | 'running';
  readonly line: string;
}

/** Whether what runs is the source as it is now; undefined while nothing runs. */
export function toFreshness({ sourceHash, built, isLoaded, running, live }: Links): Freshness | undefined {
  const [first] = running;
  if (!first) return undefined;
  if (live) {
    const over = `${live.files} ${live.files === 1 ? 'file' : 'files'} over image ${toTag(first.reference)}`;
    if (live.sourceHash === sourceHash) return { state: 'live', line: `live: ${over}` };
    return { state: 'stale', broken: 'built', line: `its source has changed since; live: ${over}` };
  }
  if (!built) {
    return { state: 'stale', broken: 'built', line: 'no image is built of its source as it is now' };
  }
  const isRunning = running.every(({ id }) => id.endsWith(built.id));
  if (isLoaded === false) {
    const line = isRunning
      ? `runs ${toTag(built.reference)}, which its node does not have any more: the next pod cannot start`
      : `${toTag(built.reference)} is built, and not on its node`;
    return { state: 'stale', broken: 'loaded', line };
  }
  if (isRunning) return { state: 'fresh', line: `runs ${toTag(built.reference)}, its source as it is now` };
  const other = running.find(({ id }) => !id.endsWith(built.id)) ?? first;
  const line = `runs ${toTag(other.reference)}, and ${toTag(built.reference)} is its source as it is now`;
  return { state: 'stale', broken: 'running', line };
}

function toTag(reference: string): string {
  return reference.slice(reference.lastIndexOf(':') + 1);
}
