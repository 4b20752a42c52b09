import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Creation, findCreated, toCreatedFile } from '../cluster/creation.ts';
import { requireDataFolder } from '../cluster/data-folder.ts';
import { explainByKubelet, type KubeletWatch, whileKubeletsRun } from '../cluster/kubelet-failure.ts';
import {
  type FoundCluster,
  type FoundNode,
  findCluster,
  isBeingRemoved,
  nodeNamesOf,
  requireOwn,
} from '../cluster/ownership.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { waitFor } from '../lib/wait.ts';
import type { Watch } from '../lib/watchdog.ts';
import type { Run, Step } from '../plan/plan.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import {
  type EngineRecord,
  findEngineRecord,
  toEngineFile,
  writeEngineRecord,
} from '../state/engine-record.ts';
import { acquireLock } from '../state/lock.ts';
import { type OwnerRecord, writeOwnerRecord } from '../state/owner-record.ts';
import { requireSameEngine } from '../state/same-engine.ts';
import { PortTakenFailure } from '../tools/kind.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { removeNodes } from './remove-nodes.ts';
import { askApi, isApiReady, waitForApi, waitForRestarts } from './resume-nodes.ts';

export interface ClusterDeps {
  readonly toolchain: Pick<Toolchain, 'docker' | 'kind'>;
  /** Ends calls to nodes that cannot end by themselves. */
  readonly watch: Watch;
  /** Undefined for an engine without an ID. */
  readonly engine: EngineRecord | undefined;
  readonly openApi: () => Promise<ApiServer>;
  readonly snapshots: Snapshots;
  readonly name: string;
  readonly checkoutId: string;
  /** Where this checkout is, recorded as the cluster's owner. */
  readonly checkout: OwnerRecord;
  /** The user's cache folder, where the lock is. */
  readonly cache: string;
  /** This run's data folder of the cluster. */
  readonly data: string;
  readonly kubeconfig: string;
  /** What the cluster is created from; called when the node image is available. */
  readonly creation: () => Promise<Creation>;
  /** Whether a node exists and its container runtime responds. */
  readonly isRuntimeUp: (node: string, signal: AbortSignal) => Promise<boolean>;
  /** Why the kubelet of a node does not keep running; undefined when it does. */
  readonly findKubeletError: (node: string, signal: AbortSignal) => Promise<string | undefined>;
  /** How often the kubelets are asked while the cluster is created. */
  readonly kubeletWatch?: Pick<KubeletWatch, 'delay' | 'interval'>;
  /** Loads images that are already available onto the nodes. */
  readonly loadEarly: (nodes: readonly string[], run: Run) => Promise<void>;
  /** Milliseconds in which the API server of an incomplete cluster must respond to count as reachable. */
  readonly incompleteTimeout?: number;
}

/** Namespaces that every new cluster has, of Kubernetes and of kind's storage provisioner. */
const initialNamespaces = /^(default|kube-.*|local-path-storage)$/;

/** Creates the cluster or starts its nodes, until its API server responds. Refuses one of another checkout or data folder. */
export function createCluster(deps: ClusterDeps): Step {
  const { toolchain, watch, openApi, checkoutId, kubeconfig, name, incompleteTimeout = 10_000 } = deps;
  const { docker, kind } = toolchain;

  async function create(run: Run): Promise<void> {
    const creation = await deps.creation();
    const { volumes, owner, kubelet, patches } = creation.settings;
    // The provisioner lets every user write to a volume, so the folder above lets no other user of this machine in. The
    // nodes mount the volumes themselves.
    await makeFolder(deps.data, 0o700);
    await chmod(deps.data, 0o700);
    // A patch that an earlier checkout had may be gone.
    await rm(patches, { recursive: true, force: true });
    await Promise.all([makeFolder(volumes), makeFolder(owner), makeFolder(patches)]);
    await writeFileAtomically(kubelet, creation.kubelet, 0o644);
    for (const [file, text] of creation.patches) await writeFileAtomically(join(patches, file), text, 0o644);
    await writeOwnerRecord(owner, deps.checkout);
    // A kind that was killed while it wrote the file has left its lock, without which no other one writes it.
    await Promise.all([kubeconfig, `${kubeconfig}.lock`].map((file) => rm(file, { force: true })));
    // Two commands that create clusters at once would both create the network `kind`, and Docker allows that.
    const lock = await acquireLock(join(deps.cache, 'locks/create-cluster.lock'), {
      command: `create cluster ${name}`,
      wait: {
        signal: run.signal,
        onWait: ({ pid }) => run.report(`waiting for process ${pid}, which is creating a cluster`),
      },
    });
    const created = new AbortController();
    const names = nodeNamesOf(name, creation.settings.workers.length);
    const early = loadEarly(names, { ...run, signal: AbortSignal.any([run.signal, created.signal]) });
    try {
      await claimData();
      await createWithKind(creation, names, run);
      run.report('loading images');
      await early;
    } finally {
      created.abort();
      await lock.release();
    }
    await chmod(kubeconfig, 0o600);
    const made = await findCluster(docker, name, run.signal);
    if (!made) return;
    const file = toCreatedFile(creation, made.id);
    await writeFileAtomically(file.path, file.text);
  }

  /**
   * Nodes that could not be started for a taken port are removed, since the next attempt needs others. A kubelet that does
   * not start is the cause of any other failure.
   */
  async function createWithKind({ config }: Creation, nodes: readonly string[], run: Run): Promise<void> {
    const kubelets = { nodes, findError: deps.findKubeletError, signal: run.signal, ...deps.kubeletWatch };
    const create = (signal: AbortSignal) => kind.create(config, { kubeconfig, run: { ...run, signal } });
    try {
      await watch(run.signal, (signal) =>
        whileKubeletsRun({ ...kubelets, signal, what: 'kind did not create the cluster' }, create),
      );
    } catch (error) {
      const found = error instanceof PortTakenFailure && (await findCluster(docker, name, run.signal));
      if (found && found.owner === checkoutId) await removeNodes(docker, name, run.signal);
      run.signal.throwIfAborted();
      throw await explainByKubelet(error, kubelets);
    }
  }

  /** Records that this engine uses the data folder, before a container of it does. @throws {Failure} exit code 9. */
  async function claimData(): Promise<void> {
    const { engine, data } = deps;
    if (!engine) return;
    requireSameEngine(name, engine, [{ file: toEngineFile(data), engine: await findEngineRecord(data) }]);
    await writeEngineRecord(data, engine);
  }

  /**
   * Loads images while kubeadm waits for its control plane, which is half of the time that creating a cluster takes.
   * Images that are not loaded here are left to the step that loads images.
   */
  async function loadEarly(nodes: readonly string[], run: Run): Promise<void> {
    const quiet = { signal: run.signal, report: () => {} };
    const isUp = async () => {
      const up = await Promise.all(nodes.map((node) => deps.isRuntimeUp(node, run.signal)));
      return up.every(Boolean) || undefined;
    };
    try {
      await waitFor(isUp, { interval: 200, timeout: 60_000, signal: run.signal });
      await deps.loadEarly(nodes, quiet);
    } catch (error) {
      run.report(`images are loaded later: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Starts nodes that were stopped by `down --stop` or a reboot, or paused. Resolves to those that were stopped. */
  async function startNodes({ nodes }: FoundCluster, run: Run): Promise<readonly FoundNode[]> {
    const { signal } = run;
    const paused = nodes.filter(({ state }) => state === 'paused');
    const stopped = nodes.filter(({ state }) => state !== 'paused' && state !== 'running');
    const names = [...paused, ...stopped].map((node) => node.name);
    if (names.length > 0) run.report(`starting ${names.join(', ')}`);
    // Nodes address each other by name, so their IP addresses may change.
    await Promise.all([
      ...paused.map(({ id }) => docker.unpauseContainer(id, { signal })),
      ...stopped.map(({ id }) => docker.startContainer(id, { signal })),
    ]);
    return stopped;
  }

  async function resume(found: FoundCluster, run: Run): Promise<void> {
    try {
      const stopped = await startNodes(found, run);
      await watch(run.signal, async (signal) => {
        await writeFileAtomically(kubeconfig, await kind.kubeconfig(name, signal));
        await waitForApi(openApi, name, { ...run, signal });
        await waitForRestarts({ docker, snapshots: deps.snapshots }, stopped, { ...run, signal });
      });
    } catch (error) {
      run.signal.throwIfAborted();
      if (error instanceof Failure && (await isLeaving(run.signal))) return recreate(run);
      throw error;
    }
  }

  /** Whether the cluster is gone or going, as when a `down` was killed after it had asked the engine to remove it. */
  async function isLeaving(signal: AbortSignal): Promise<boolean> {
    const found = await findCluster(docker, name, signal);
    return !found || isBeingRemoved(found);
  }

  /** No data is lost: volumes are folders of this machine. */
  async function recreate(run: Run): Promise<void> {
    await removeNodes(docker, name, run.signal);
    await create(run);
  }

  const isFinished = async (found: FoundCluster) => (await findCreated(found)) !== undefined;

  /** The cluster; undefined when it does not exist. @throws {Failure} exit code 9 when this run must not change it. */
  async function findOwn(signal: AbortSignal): Promise<FoundCluster | undefined> {
    const found = await findCluster(docker, name, signal);
    if (!found) return undefined;
    requireOwn(found, checkoutId);
    await requireDataFolder(found, deps.data);
    return found;
  }

  /**
   * Refuses to replace a cluster that contains something, even if its creation is not recorded as completed: the record
   * may have been deleted or overwritten.
   * @throws {Failure} exit code 9.
   */
  async function requireEmpty(found: FoundCluster, run: Run): Promise<void> {
    const namespaces = (await listNamespaces(found, run)) ?? [];
    const added = namespaces.find((each) => !initialNamespaces.test(each));
    if (added === undefined) return;
    throw new Failure(`cluster ${name} is in use, but its creation is not recorded as completed`, {
      cause: `its API server responds, and it has the namespace ${added}`,
      hint: 'npm run down, then npm run up: the data is preserved',
      exitCode: exitCodes.refused,
    });
  }

  /** Undefined when the nodes do not run or the API server does not respond, as after an interrupted creation. */
  async function listNamespaces(found: FoundCluster, run: Run): Promise<readonly string[] | undefined> {
    const { signal } = run;
    // A node that was never started has no API server.
    if (found.nodes.some(({ state }) => state === 'created')) return undefined;
    try {
      await startNodes(found, run);
      await writeFileAtomically(kubeconfig, await kind.kubeconfig(name, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure) return undefined;
      throw error;
    }
    run.report('the creation of this cluster was not completed: asking its API server');
    const ask = () =>
      askApi(openApi, signal, async (api) => {
        await text(await api.open('/readyz', signal));
        return api.getMetadata('/api/v1/namespaces', signal);
      });
    const timeout = found.state === 'running' ? incompleteTimeout : 3 * incompleteTimeout;
    const objects = await waitFor(ask, { interval: 300, timeout, signal });
    return objects?.map(({ metadata }) => metadata.name);
  }

  return {
    title: `cluster ${name}`,

    async isDone({ signal }) {
      const found = await findOwn(signal);
      if (!found) return false;
      const isRunning =
        found.state === 'running' && (await isFinished(found)) && (await isApiReady(openApi, signal));
      return isRunning && 'the API server responds';
    },

    async apply(run) {
      const found = await findOwn(run.signal);
      if (!found) return create(run);
      if (isBeingRemoved(found)) return recreate(run);
      if (await isFinished(found)) return resume(found, run);
      await requireEmpty(found, run);
      run.report('replacing an incomplete cluster of a previous run');
      await recreate(run);
    },
  };
}
