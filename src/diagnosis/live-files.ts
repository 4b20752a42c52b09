import { liveAnnotation } from '../lib/labels.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/** The files that `reload --watch` has copied into a running container, over those of its image. */
export interface LiveFiles {
  /** Number of files that differ from the image. */
  readonly files: number;
  /** Hash of the source that they were built from, as `ServiceImages` computes it. */
  readonly sourceHash: string;
}

interface Stored extends LiveFiles {
  /** ID of the container: after a restart it runs the image's files again. */
  readonly containerID: string;
}

/** The annotations of a pod with these files; null removes the annotation from a pod without any. */
export function toLiveAnnotations(
  containerID: string,
  live: LiveFiles | undefined,
): Readonly<Record<string, string | null>> {
  const stored: Stored | undefined = live && { ...live, containerID };
  return { [liveAnnotation]: stored && stored.files > 0 ? JSON.stringify(stored) : null };
}

/** The live files of a service's container; undefined when it runs only those of its image, as after a restart. */
export function findLiveFiles({ metadata, status }: Pod, container: string): LiveFiles | undefined {
  const text = metadata.annotations?.[liveAnnotation];
  const running = status.containerStatuses?.find(({ name }) => name === container);
  if (text === undefined || running === undefined) return undefined;
  // One that waits for its next start keeps the ID of the previous one.
  if (running.state && !running.state.running) return undefined;
  const stored = parse(text);
  if (!stored || stored.containerID !== running.containerID) return undefined;
  return { files: stored.files, sourceHash: stored.sourceHash };
}

/** The live files of all pods of a service together. */
export interface ServiceLiveFiles extends LiveFiles {
  /** Number of pods with live files, and of all. */
  readonly pods: number;
  readonly of: number;
}

/** Undefined when no pod has live files. The hash is empty unless all pods have the files of one source. */
export function findServiceLiveFiles(pods: readonly Pod[], container: string): ServiceLiveFiles | undefined {
  const found = pods.map((pod) => findLiveFiles(pod, container));
  const live = found.filter((each) => each !== undefined);
  const [first] = live;
  if (!first) return undefined;
  const isOne =
    live.length === found.length && live.every(({ sourceHash }) => sourceHash === first.sourceHash);
  return {
    files: Math.max(...live.map(({ files }) => files)),
    sourceHash: isOne ? first.sourceHash : '',
    pods: live.length,
    of: found.length,
  };
}

/** Undefined for text that this tool did not write. */
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
