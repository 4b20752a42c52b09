import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Creation, findCreated, noteCreated } from '../cluster/creation.ts';
import {
  controlPlaneOf,
  type FoundCluster,
  findCluster,
  removeNodes,
  requireOwn,
} from '../cluster/ownership.ts';
import type { Snapshots } from '../cluster/snapshot.ts';
import { toDuration } from '../lib/duration.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Run, Step } from '../lib/plan.ts';
import { waitFor } from '../lib/wait.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import { acquireLock } from '../state/lock.ts';
import type { Kubectl } from '../tools/kubectl.ts';
import type { ContainerStatus } from '../tools/kubernetes.ts';
import type { Toolchain } from '../tools/toolchain.ts';

export interface ClusterParts {
  readonly toolchain: Pick<Toolchain, 'docker' | 'kind' | 'kubectl'>;
  readonly snapshots: Snapshots;
  readonly name: string;
  readonly checkoutId: string;
  /** The user's cache folder, for the lock. */
  readonly cache: string;
  readonly kubeconfig: string;
  /** What it is made from, asked when the node image is there. */
  readonly creation: () => Promise<Creation>;
  /** Whether the node is there and its container runtime answers. */
  readonly isRuntimeUp: (node: string, signal: AbortSignal) => Promise<boolean>;
  /** Brings images that are there already onto the node. */
  readonly loadEarly: (node: string, run: Run) => Promise<void>;
}

/** Milliseconds that a node which was stopped has until its API server answers. */
const resumeTimeout = 90_000;

/** Milliseconds that its pods have to be heard of. */
const podsTimeout = 60_000;

/** The cluster exists, is this checkout's, runs, and its API server answers. */
export function createCluster(parts: ClusterParts): Step {
  const { toolchain, checkoutId, kubeconfig, name } = parts;
  const { docker, kind, kubectl } = toolchain;

  async function create(run: Run): Promise<void> {
    const creation = await parts.creation();
    const { volumes, owner, kubelet } = creation.settings;
    // Data stores run under user ids of their own, in folders below that the provisioner makes for them.
    await Promise.all([mkdir(volumes, { recursive: true, mode: 0o755 }), mkdir(owner, { recursive: true })]);
    await writeFileAtomically(kubelet, creation.kubelet, 0o644);
    await rm(kubeconfig, { force: true });
    // Two that create at once would each make the network `kind`, and Docker lets them.
    const lock = await acquireLock(join(parts.cache, 'locks/create-cluster.lock'), {
      command: `create cluster ${name}`,
      wait: {
        signal: run.signal,
        onWait: ({ pid }) => run.report(`waiting for process ${pid}, which creates one`),
      },
    });
    const created = new AbortController();
    const early = loadEarly({ ...run, signal: AbortSignal.any([run.signal, created.signal]) });
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
    if (made) await noteCreated(creation, made.id);
  }

  /**
   * Loads images while kubeadm waits for its control plane: that is half of the time that creating takes. What does not
   * come to its end here is left to the step that loads.
   */
  async function loadEarly(run: Run): Promise<void> {
    const quiet = { signal: run.signal, report: () => {} };
    try {
      const runs = async () =>
        (await parts.isRuntimeUp(controlPlaneOf(name), run.signal)) ? true : undefined;
      await waitFor(runs, { every: 200, timeout: 60_000, signal: run.signal });
      await parts.loadEarly(controlPlaneOf(name), quiet);
    } catch (error) {
      run.report(`images are loaded later: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** A node that was stopped, by `down --stop` or a reboot, comes back with all it had. */
  async function resume(found: FoundCluster, run: Run): Promise<void> {
    run.report(`starting node ${found.node}`);
    const wasPaused = found.state === 'paused';
    if (wasPaused) await docker.unpauseContainer(found.node, { signal: run.signal });
    else await docker.startContainer(found.node, { signal: run.signal });
    await writeFileAtomically(kubeconfig, await kind.kubeconfig(name, run.signal));
    run.report('waiting for its API server');
    const ready = await waitFor(async () => (await answers(kubectl, run.signal)) || undefined, {
      every: 300,
      timeout: resumeTimeout,
      signal: run.signal,
    });
    if (ready) return wasPaused ? undefined : forgetEarlierPods(found.node, run);
    throw new Failure(`the API server of cluster ${name} did not answer in ${toDuration(resumeTimeout)}`, {
      hint: 'npm run down, then npm run up: the data is kept',
      exitCode: exitCodes.cluster,
    });
  }

  /**
   * Until the kubelet has spoken, the API server knows the pods as they were before the node stopped: ready. Waits
   * until each is known as it runs now; those that take longer are waited for by what needs them.
   */
  async function forgetEarlierPods(node: string, { signal, report }: Run): Promise<void> {
    const container = await docker.findContainer(node, { signal });
    const started = Date.parse(container?.startedAt ?? '');
    const isEarlier = ({ state }: ContainerStatus) => Date.parse(state?.running?.startedAt ?? '') < started;
    await waitFor(
      async () => {
        const pods = (await parts.snapshots.take(signal)).list('Pod');
        const earlier = pods.filter(({ status }) => (status.containerStatuses ?? []).some(isEarlier));
        report(`${pods.length - earlier.length} of ${pods.length} pods have started again`);
        return earlier.length === 0 || undefined;
      },
      { every: 500, timeout: podsTimeout, signal },
    );
  }

  const isFinished = async ({ id }: FoundCluster) =>
    (await findCreated(await parts.creation(), id)) !== undefined;

  return {
    title: `cluster ${name}`,

    async isDone({ signal }) {
      const found = await findCluster(docker, name, signal);
      if (!found) return false;
      requireOwn(found, checkoutId);
      const works =
        found.state === 'running' && (await isFinished(found)) && (await answers(kubectl, signal));
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

async function answers(kubectl: Kubectl, signal: AbortSignal): Promise<boolean> {
  try {
    await kubectl.run(['get', '--raw=/readyz'], signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) return false;
    throw error;
  }
}
