import { liveAnnotation } from '../lib/labels.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/** What `reload --watch` has put into a running container, over the files of its image. */
export interface LiveFiles {
  /** How many files are not those of the image. */
  readonly files: number;
  /** Hash of the source that they were made of, as `ServiceImages` counts it. */
  readonly sourceHash: string;
}

interface Stored extends LiveFiles {
  /** Of the container's run: the next one starts from the image again. */
  readonly containerID: string;
}

/** The annotations of a pod with these files; those of a pod without any take the mark away. */
export function toLiveAnnotations(
  containerID: string,
  live: LiveFiles | undefined,
): Readonly<Record<string, string | null>> {
  const stored: Stored | undefined = live && { ...live, containerID };
  return { [liveAnnotation]: stored && stored.files > 0 ? JSON.stringify(stored) : null };
}

/** The live files of a service's container; undefined when it runs what its image has, as after a restart. */
export function findLiveFiles({ metadata, status }: Pod, container: string): LiveFiles | undefined {
  const text = metadata.annotations?.[liveAnnotation];
  const running = status.containerStatuses?.find(({ name }) => name === container);
  if (text === undefined || running === undefined) return undefined;
  const stored = parse(text);
  if (!stored || stored.containerID !== running.containerID) return undefined;
  return { files: stored.files, sourceHash: stored.sourceHash };
}

/** Undefined for what somebody else has written there. */
function parse(text: string): Stored | undefined {
  try {
    const { files, sourceHash, containerID }: Partial<Stored> = JSON.parse(text);
    if (typeof files !== 'number' || typeof sourceHash !== 'string' || typeof containerID !== 'string') {
      return undefined;
    }
    return { files, sourceHash, containerID };
  } catch {
    return undefined;
  }
}
