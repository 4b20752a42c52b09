import { type LiveFiles, toLiveAnnotations } from '../diagnosis/live-files.ts';
import { findPods } from '../diagnosis/pods.ts';
import { findRollout } from '../diagnosis/rollout.ts';
import { type ServicePlace, takeServiceSnapshot } from '../diagnosis/service-snapshot.ts';
import type { LiveSource } from '../images/source/live-source.ts';
import { describeEntry, type LiveTree, listDifferent } from '../images/source/live-tree.ts';
import { Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import type { Nodes } from '../tools/docker/nodes.ts';
import { type ApiServer, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';
import { getPod } from '../tools/kubernetes/watch-pods.ts';
import { followUp } from './follow-live-change.ts';
import { packLiveChanges } from './pack-live-changes.ts';
import { waitUntilLoaded } from './wait-until-loaded.ts';

export interface PutLiveFilesDeps {
  readonly api: ApiServer;
  readonly nodes: Nodes;
  readonly place: ServicePlace;
  /** The port that the service's program listens on. */
  readonly port: number;
  /** Prints a line of a command's output. */
  readonly onOutput: (line: string) => void;
  /** Called when a container has all files, before what follows. */
  readonly onPut?: (containerID: string) => void;
}

interface ContainerFiles {
  /** Live folder → its path on the node. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Path in the container → what was put there, as `describeEntry` describes it; empty while that is unknown. */
  readonly put: Map<string, string>;
  /** The live folders whose last change the program has not taken yet: what `then` names has failed. */
  readonly pending: Set<string>;
}

/** The files that this run has put into a service's containers, remembered between updates. */
export interface LiveState {
  /** Reference of the image that its pods run. */
  readonly image: string;
  /** The live folders of that image. */
  readonly base: LiveTree;
  /** What was put into each container, by container ID. */
  readonly containers: Map<string, ContainerFiles>;
}

export interface LiveFilesUpdate {
  /** Number of containers that this update has changed. */
  readonly changed: number;
  /** Number of paths in each container that differ from the image. */
  readonly files: number;
  /** Pods whose containers had nothing of this run before, and got all of it. */
  readonly started: readonly string[];
  /** Number of pods whose containers do not run: they get the files when they start. */
  readonly waiting: number;
}

/** Why nothing was updated. */
export type NoUpdate = 'image' | 'rollout' | 'no-pods';

/** An update of one container. `image`: it needs a new image. `gone`: it does not run any more. */
type ContainerUpdate =
  | { readonly pod: string; readonly put: number; readonly isNew: boolean }
  | 'image'
  | 'gone';

/**
 * Makes the live folders of a service's running containers what they must be: all that differs from the image goes into
 * a container that has started since. Waits until a stand-in has loaded it, or runs what `then` names. Resolves to
 * `image` when a new image is needed instead, to `rollout` while pods are being replaced, to `no-pods` when none is wanted.
 * @throws {Failure} exit code 7 when the program cannot load the files, or the command of `then` fails.
 */
export async function putLiveFiles(
  { api, nodes, place, port, onOutput, onPut = () => {} }: PutLiveFilesDeps,
  state: LiveState,
  { tree, folders, program, sourceHash }: LiveSource & { readonly sourceHash: string },
  { signal }: Run,
): Promise<LiveFilesUpdate | NoUpdate> {
  const snapshot = await takeServiceSnapshot(api, place, signal);
  const workload = { kind: 'Deployment', ...place } as const;
  const rollout = findRollout(snapshot, workload);
  const { current } = findPods(snapshot, workload);
  if (rollout?.isObserved === false || (rollout?.old ?? 0) > 0) return 'rollout';
  if (current.length === 0) return 'no-pods';
  if (!current.every(runsImage)) return 'image';
  const different = listDifferent(state.base, tree);
  const files = countFiles(different);
  const updates = await Promise.all(current.map(update));
  if (updates.includes('image')) return 'image';
  const done = updates.filter((each) => typeof each === 'object');
  return {
    files,
    changed: done.filter(({ put }) => put > 0).length,
    started: done.filter(({ isNew, put }) => isNew && put > 0).map(({ pod }) => pod),
    waiting: updates.length - done.length,
  };

  function runsImage({ spec }: Pod): boolean {
    return spec.containers.some(({ name, image }) => name === place.name && image === state.image);
  }

  async function update(pod: Pod): Promise<ContainerUpdate> {
    const id = findRunningContainer(pod, place.name);
    // It gets the files when it starts.
    if (id === undefined) return 'gone';
    try {
      return await updateContainer(pod, id);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure) || (await isStillRunning(pod, id))) throw error;
      return 'gone';
    }
  }

  async function isStillRunning({ metadata: { name, uid } }: Pod, id: string): Promise<boolean> {
    try {
      const now = await getPod(api, place.namespace, name, signal);
      return now.metadata.uid === uid && findRunningContainer(now, place.name) === id;
    } catch (error) {
      if (isConnectionLost(error)) return false;
      throw error;
    }
  }

  async function updateContainer(pod: Pod, id: string): Promise<ContainerUpdate> {
    const { name, nodeName: node = '' } = { ...pod.metadata, ...pod.spec };
    const isNew = !state.containers.has(id);
    const container = await findContainer(id, node);
    if (!container) return 'image';
    const { put, mounts, pending } = container;
    const toWanted = (path: string) => describeEntry(tree.get(path));
    const paths = [...new Set([...different, ...put.keys()])];
    const changed = paths.filter(
      (path) => toWanted(path) !== (put.get(path) ?? describeEntry(state.base.get(path))),
    );
    if (changed.length === 0 && pending.size === 0) {
      onPut(id);
      return { pod: name, put: 0, isNew };
    }

    // Before the first file: a pod without the annotation counts as one that runs its image unchanged.
    if (files > 0) await mark(pod, id, { files, sourceHash: '' });
    // An interrupted put may still have completed on the node, so until it ends well the content counts as unknown.
    for (const path of changed) put.set(path, '');
    const touched = folders.filter(({ to }) => changed.some((path) => path.startsWith(`${to}/`)));
    for (const { to } of touched) {
      pending.add(to);
      const own = changed.filter((path) => path.startsWith(`${to}/`));
      const packed = await packLiveChanges(own, { folder: to, tree, base: state.base, program });
      await nodes.changeFolder(node, mounts.get(to) ?? '', packed, signal);
      for (const path of packed.read) put.set(path, toWanted(path));
    }
    onPut(id);
    const target = { nodes, node, pod: name, container: toRuntimeId(id), place, onOutput };
    const waiting = folders.filter(({ to }) => pending.has(to));
    if (!(await followUp(target, waiting, signal))) return 'image';
    if (program !== undefined && put.has(program) && !(await isProgramLoaded(name, program))) return 'image';
    pending.clear();
    // Files that were removed while they were read make the source newer than this one.
    const isWhole = [...put].every(([path, text]) => text === toWanted(path));
    await mark(pod, id, { files, sourceHash: isWhole ? sourceHash : '' });
    return { pod: name, put: changed.length, isNew };
  }

  async function isProgramLoaded(pod: string, path: string): Promise<boolean> {
    const entry = tree.get(path);
    const version = entry?.kind === 'file' ? entry.version : '';
    return waitUntilLoaded(api, { place, port, pod, version }, signal);
  }

  /** Undefined for a container without these volumes, whose image was built before they were declared. */
  async function findContainer(id: string, node: string): Promise<ContainerFiles | undefined> {
    const known = state.containers.get(id);
    if (known) return known;
    const mounts = new Map<string, string>();
    for (const { to } of folders) {
      const mount = await nodes.findMount(node, toRuntimeId(id), to, signal);
      if (mount === undefined) return undefined;
      mounts.set(to, mount);
    }
    const found = { mounts, put: new Map<string, string>(), pending: new Set<string>() };
    state.containers.set(id, found);
    return found;
  }

  /** Folders are not counted. */
  function countFiles(paths: readonly string[]): number {
    return paths.filter((path) => (tree.get(path) ?? state.base.get(path))?.kind !== 'folder').length;
  }

  async function mark({ metadata: { name } }: Pod, id: string, live: LiveFiles): Promise<void> {
    const annotations = toLiveAnnotations(id, live);
    const path = `/api/v1/namespaces/${place.namespace}/pods/${name}?fieldManager=wealist-local`;
    await api.patch(path, { metadata: { annotations } }, signal);
  }
}

/** ID of a pod's container while it runs. */
export function findRunningContainer({ status }: Pod, container: string): string | undefined {
  const found = status.containerStatuses?.find(({ name }) => name === container);
  return found?.state?.running === undefined ? undefined : found.containerID;
}

/** `containerd://…` → the ID by which containerd knows it. */
function toRuntimeId(id: string): string {
  return id.replace(/^.*:\/\//, '');
}
