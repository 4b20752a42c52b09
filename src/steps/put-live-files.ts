import { setTimeout as sleep } from 'node:timers/promises';
import { type LiveFiles, toLiveAnnotations } from '../diagnosis/live-files.ts';
import { findPods } from '../diagnosis/pods.ts';
import { findRunning } from '../diagnosis/running-image.ts';
import { type ServicePlace, takeServiceSnapshot } from '../diagnosis/service-snapshot.ts';
import type { FileHashes, LiveSource } from '../images/source/live-source.ts';
import { packLayer } from '../images/store/layer.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hashContent } from '../lib/hash.ts';
import type { Run } from '../plan/plan.ts';
import type { Nodes } from '../tools/docker/nodes.ts';
import { ApiFailure, type ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

export interface PutLiveFilesDeps {
  readonly api: ApiServer;
  readonly nodes: Nodes;
  readonly place: ServicePlace;
  /** The port that the service's program listens on. */
  readonly port: number;
}

interface PutFiles {
  /** Live folder → its path on the node. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Path in the container → hash of the content; empty while that is unknown. */
  readonly put: Map<string, string>;
}

/** The files that this run has put into a service's containers, remembered between updates. */
export interface LiveState {
  /** Reference of the image that its pods run. */
  readonly image: string;
  /** The image's files in the live folders; a file that is missing here counts as changed. */
  readonly base: FileHashes;
  /** What was put into each container, by container ID. */
  readonly containers: Map<string, PutFiles>;
}

export interface LiveFilesUpdate {
  /** Number of files put into each container by this update, and of files that override those of the image. */
  readonly put: number;
  readonly files: number;
}

/** What a stand-in reports of the file that it runs (services/common/program.ts). */
interface ProgramState {
  /** Hash of the file that it loaded last. */
  readonly program: string;
  readonly refused?: string;
  /** Refused because the change needs a new process. */
  readonly startsAnew?: boolean;
}

/** Milliseconds in which a program must report that it has loaded the new file, and between requests for that. */
const loadTimeout = 5_000;
const loadInterval = 5;

/**
 * Puts files into the running containers of a service and waits until a stand-in has loaded them; undefined when a new
 * image is needed instead.
 * @throws {Failure} exit code 7 when the program cannot load the files: it keeps running the previous ones.
 */
export async function putLiveFiles(
  { api, nodes, place, port }: PutLiveFilesDeps,
  state: LiveState,
  { files, folders, program, sourceHash }: LiveSource & { readonly sourceHash: string },
  { signal }: Run,
): Promise<LiveFilesUpdate | undefined> {
  const snapshot = await takeServiceSnapshot(api, place, signal);
  const { current } = findPods(snapshot, { kind: 'Deployment', ...place });
  const isUpdatable =
    findRunning(snapshot, place).isServing && current.length > 0 && current.every(runsImage);
  if (!isUpdatable) return undefined;
  const updates = await Promise.all(current.map(update));
  const known = updates.filter((each) => each !== undefined);
  return known.length === updates.length ? known[0] : undefined;

  function runsImage({ spec }: Pod): boolean {
    return spec.containers.some(({ name, image }) => name === place.name && image === state.image);
  }

  async function update(pod: Pod): Promise<LiveFilesUpdate | undefined> {
    const id = pod.status.containerStatuses?.find(({ name }) => name === place.name)?.containerID;
    const node = pod.spec.nodeName;
    if (id === undefined || node === undefined) return undefined;
    const container = await findContainer(id, node);
    if (!container) return undefined;
    const { put, mounts } = container;

    const contents = new Map(files.map(({ path, content }) => [path, hashContent(content)]));
    const removed =
      program !== undefined && [...state.base.keys(), ...put.keys()].some((path) => !contents.has(path));
    if (removed) return undefined;
    const changed = files.filter(
      ({ path }) => contents.get(path) !== (put.get(path) ?? state.base.get(path)),
    );
    // The program's own file comes last, so that the others exist when it loads them.
    const ordered = changed.toSorted((a, b) => Number(a.path === program) - Number(b.path === program));
    // Before the first file: a pod without the annotation counts as one that runs its image unchanged.
    if (changed.length > 0 && countReplaced(put) === 0)
      await mark(pod, id, { files: changed.length, sourceHash: '' });
    // An interrupted put may still have completed on the node, so until it ends well the content counts as unknown.
    for (const { path } of changed) put.set(path, '');
    for (const folder of folders) {
      const own = ordered.filter(({ path }) => path.startsWith(`${folder}/`));
      if (own.length === 0) continue;
      const entries = own.map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
      const archive = packLayer(entries);
      await nodes.putFiles(
        node,
        mounts.get(folder) ?? '',
        { archive, paths: entries.map(({ path }) => path) },
        signal,
      );
    }
    for (const { path } of changed) put.set(path, contents.get(path) ?? '');
    const over = countReplaced(put);
    const isLoaded = program === undefined || !changed.some(({ path }) => path === program);
    const [loaded] = await Promise.all([
      isLoaded || waitUntilLoaded(pod, contents.get(program) ?? ''),
      mark(pod, id, { files: over, sourceHash }),
    ]);
    return loaded ? { put: changed.length, files: over } : undefined;
  }

  /** Undefined for a container without these volumes, whose image was built before they were declared. */
  async function findContainer(id: string, node: string) {
    const known = state.containers.get(id);
    if (known) return known;
    const mounts = new Map<string, string>();
    for (const folder of folders) {
      const mount = await nodes.findMount(node, id.replace(/^.*:\/\//, ''), folder, signal);
      if (mount === undefined) return undefined;
      mounts.set(folder, mount);
    }
    const found = { mounts, put: new Map<string, string>() };
    state.containers.set(id, found);
    return found;
  }

  /** Number of files that override those of the image. */
  function countReplaced(put: ReadonlyMap<string, string>): number {
    return [...put].filter(([path, hash]) => state.base.get(path) !== hash).length;
  }

  async function mark({ metadata: { name } }: Pod, id: string, live: LiveFiles): Promise<void> {
    const annotations = toLiveAnnotations(id, live);
    const path = `/api/v1/namespaces/${place.namespace}/pods/${name}?fieldManager=wealist-local`;
    await api.patch(path, { metadata: { annotations } }, signal);
  }

  /** False when the program must be restarted for the change. @throws {Failure} when it cannot be loaded at all. */
  async function waitUntilLoaded({ metadata: { name } }: Pod, wanted: string): Promise<boolean> {
    const path = `/api/v1/namespaces/${place.namespace}/pods/${name}:${port}/proxy/health/program`;
    const end = performance.now() + loadTimeout;
    while (performance.now() < end) {
      const said = await api.get<ProgramState>(path, signal).catch((error) => {
        // A program that is loading may respond late, and an older one does not have this path.
        if (error instanceof ApiFailure) return undefined;
        throw error;
      });
      if (said?.program === wanted) {
        if (said.refused === undefined) return true;
        if (said.startsAnew) return false;
        throw new Failure(`${place.name} cannot load the saved files and keeps running the previous ones`, {
          cause: said.refused,
          exitCode: exitCodes.image,
        });
      }
      await sleep(loadInterval, undefined, { signal });
    }
    return false;
  }
}
