import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Creation, findCreated, toCreatedFile } from '../cluster/creation.ts';
import {
  type FoundCluster,
  type FoundNode,
  findCluster,
  nodeNamesOf,
  requireOwn,
} from '../cluster/ownership.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Run, Step } from '../plan/plan.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import { acquireLock } from '../state/lock.ts';
import { type ApiServer, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import type { ContainerStatus } from '../tools/kubernetes/objects.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { removeNodes } from './remove-nodes.ts';

export interface ClusterDeps {
  readonly toolchain: Pick<Toolchain, 'docker' | 'kind'>;
  readonly openApi: () => Promise<ApiServer>;
  readonly snapshots: Snapshots;
  readonly name: string;
  readonly checkoutId: string;
  /** The user's cache folder, for the lock. */
  readonly cache: string;
  readonly kubeconfig: string;
  /** What it is made from, asked when the node image is there. */
  readonly creation: () => Promise<Creation>;
  /** Whether a node is there and its container runtime answers. */
  readonly isRuntimeUp: (node: string, signal: AbortSignal) => Promise<boolean>;
  /** Brings images that are there already onto the nodes. */
  readonly loadEarly: (nodes: readonly string[], run: Run) => Promise<void>;
}

/** Milliseconds that a cluster which was stopped has until its API server answers. */
const resumeTimeout = 90_000;

/** Milliseconds that its pods have to be heard of. */
const podsTimeout = 60_000;

/** The cluster exists, is this checkout's, runs, and its API server answers. */
export function createCluster(deps: ClusterDeps): Step {
  const { toolchain, openApi, checkoutId, kubeconfig, name } = deps;
  const { docker, kind } = toolchain;

  async function create(run: Run): Promise<void> {
    const creation = await deps.creation();
    const { volumes, owner, kubelet } = creation.settings;
    // Data stores run under user ids of their own, in folders below that the provisioner makes for them.
    await Promise.all([mkdir(volumes, { recursive: true, mode: 0o755 }), mkdir(owner, { recursive: true })]);
    await writeFileAtomically(kubelet, creation.kubelet, 0o644);
    await rm(kubeconfig, { force: true });
    // Two that create at once would each make the network `kind`, and Docker lets them.
    const lock = await acquireLock(join(deps.cache, 'locks/create-cluster.lock'), {
      command: `create cluster ${name}`,
      wait: {
        signal: run.signal,
        onWait: ({ pid }) => run.report(`waiting for process ${pid}, which creates one`),
      },
    });
    const created = new AbortController();
    const names = nodeNamesOf(name, creation.settings.workers.length);
    const early = loadEarly(names, { ...run, signal: AbortSignal.any([run.signal, created.signal]) });
    try {
      await kind.create(creation.config, { kubeconfig, run });
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
   * Loads images while kubeadm waits for its control plane: that is half of the time that creating takes. What does not
   * come to its end here is left to the step that loads.
   */
  async function loadEarly(nodes: readonly string[], run: Run): Promise<void> {
    const quiet = { signal: run.signal, report: () => {} };
    const runs = async () => {
      const up = await Promise.all(nodes.map((node) => deps.isRuntimeUp(node, run.signal)));
      return up.every(Boolean) || undefined;
    };
    try {
      await waitFor(runs, { interval: 200, timeout: 60_000, signal: run.signal });
      await deps.loadEarly(nodes, quiet);
    } catch (error) {
      run.report(`images are loaded later: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Nodes that were stopped, by `down --stop` or a reboot, come back with all they had. */
  async function resume(found: FoundCluster, run: Run): Promise<void> {
    const { signal } = run;
    const paused = found.nodes.filter(({ state }) => state === 'paused');
    const stopped = found.nodes.filter(({ state }) => state !== 'paused' && state !== 'running');
    const names = [...paused, ...stopped].map((node) => node.name);
    if (names.length > 0) run.report(`starting ${names.join(', ')}`);
    // Each finds the others by their names, whatever addresses they get.
    await Promise.all([
      ...paused.map(({ id }) => docker.unpauseContainer(id, { signal })),
      ...stopped.map(({ id }) => docker.startContainer(id, { signal })),
    ]);
    await writeFileAtomically(kubeconfig, await kind.kubeconfig(name, run.signal));
    run.report('waiting for its API server');
    const ready = await waitFor(async () => (await answers(openApi, run.signal)) || undefined, {
      interval: 300,
      timeout: resumeTimeout,
      signal: run.signal,
    });
    if (ready) return forgetEarlierPods(stopped, run);
    throw new Failure(`the API server of cluster ${name} did not answer in ${toDuration(resumeTimeout)}`, {
      hint: 'npm run down, then npm run up: the data is kept',
      exitCode: exitCodes.cluster,
    });
  }

  /**
   * Until a kubelet has spoken, the API server knows the pods as they were before the node stopped: ready. Waits
   * until each is known as it runs now; those that take longer are waited for by what needs them.
   */
  async function forgetEarlierPods(nodes: readonly FoundNode[], { signal, report }: Run): Promise<void> {
    if (nodes.length === 0) return;
    const containers = await Promise.all(nodes.map(({ id }) => docker.findContainer(id, { signal })));
    const started = new Map(
      containers.map((container) => [container?.name, Date.parse(container?.startedAt ?? '')]),
    );
    const isEarlier = ({ state }: ContainerStatus, node: string | undefined) =>
      Date.parse(state?.running?.startedAt ?? '') < (started.get(node) ?? 0);
    await waitFor(
      async () => {
        const pods = (await deps.snapshots.take(signal)).list('Pod');
        const earlier = pods.filter(({ spec, status }) =>
          (status.containerStatuses ?? []).some((container) => isEarlier(container, spec.nodeName)),
        );
        report(`${pods.length - earlier.length} of ${pods.length} pods have started again`);
        return earlier.length === 0 || undefined;
      },
      { interval: 500, timeout: podsTimeout, signal },
    );
  }

  const isFinished = async ({ id }: FoundCluster) =>
    (await findCreated(await deps.creation(), id)) !== undefined;

  return {
    title: `cluster ${name}`,

    async isDone({ signal }) {
      const found = await findCluster(docker, name, signal);
      if (!found) return false;
      requireOwn(found, checkoutId);
      const works =
        found.state === 'running' && (await isFinished(found)) && (await answers(openApi, signal));
      return works && 'its API server answers';
    },

    async apply(run) {
      const found = await findCluster(docker, name, run.signal);
      if (!found) return create(run);
      requireOwn(found, checkoutId);
      if (await isFinished(found)) return resume(found, run);
      run.report('replacing a half-made cluster of an earlier run');
      // Nothing is lost: whatever was stored lies in folders of this machine.
      await removeNodes(docker, name, run.signal);
      await create(run);
    },
  };
}

/** Whether the API server behind the private kubeconfig says that it is ready. */
async function answers(openApi: ClusterDeps['openApi'], signal: AbortSignal): Promise<boolean> {
  try {
    const api = await openApi();
    await text(await api.open('/readyz', signal));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // Without a kubeconfig as well: it can be had from the cluster.
    if (error instanceof Failure || isConnectionLost(error)) return false;
    throw error;
  }
}
