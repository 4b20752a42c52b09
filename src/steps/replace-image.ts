import { setTimeout as sleep } from 'node:timers/promises';
import { findPods } from '../diagnosis/pods.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import { findRunning, listOwnAddresses, type Running, runsImage } from '../diagnosis/running-image.ts';
import {
  findDeployment,
  type ServicePlace,
  takeServiceSnapshot,
  toDeploymentPath,
} from '../diagnosis/service-snapshot.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { standInCommand } from '../images/build/stand-in-image.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { restartedAnnotation } from '../lib/labels.ts';
import type { Digest } from '../lib/oci.ts';
import type { Run } from '../plan/plan.ts';
import { ApiFailure, type ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { isPodReady, type Pod } from '../tools/kubernetes/objects.ts';
import { whileAskingReadiness } from './ask-readiness.ts';
import { endBackOff } from './end-back-off.ts';

export interface ReplaceImageDeps {
  readonly api: ApiServer;
  /** For the verdict on pods that do not become ready. */
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly place: ServicePlace;
  /** Resolves once no node routes to these pod addresses. */
  readonly waitUntilUnrouted: (addresses: Promise<readonly string[]>, signal: AbortSignal) => Promise<void>;
}

export interface WantedImage {
  readonly reference: string;
  readonly id: Digest;
  readonly isStandIn: boolean;
}

/** Milliseconds without progress of new pods until the wait gives up. */
const stallTimeout = 180_000;

/** Milliseconds between small requests, until the first full verdict, and between verdicts. */
const interval = 50;
const verdictDelay = 1_500;
const verdictInterval = 1_000;

/** Milliseconds in which a ready pod must have its endpoint. */
const endpointTimeout = 10_000;

/**
 * Sets the image of the service's Deployment and waits until its new pods run it, checked by their image IDs, and until
 * its endpoints and every node route to these pods only. Previous pods may still be terminating. The next `up` sets
 * the image in the release's values.
 * @throws {Failure} exit code 8: the cause is the verdict on pods that do not become ready, or the service is deployed as
 * the other of stand-in and own program, which have other probes, users and files.
 */
export async function replaceImage(deps: ReplaceImageDeps, wanted: WantedImage, run: Run): Promise<void> {
  const { api, kubectl, place, waitUntilUnrouted } = deps;
  const { namespace, name } = place;
  const workload = { kind: 'Deployment', name, namespace } as const;
  const before = await takeServiceSnapshot(api, place, run.signal);
  const deployment = before.find('Deployment', name, namespace);
  const container = deployment?.spec.template.spec?.containers.find((each) => each.name === name);
  if (!container) {
    throw new Failure(`${name} is not deployed`, {
      hint: `npm run up -- ${name}`,
      exitCode: exitCodes.workload,
    });
  }
  requireSameProgram(name, container.command, wanted);
  const isSame = container.image === wanted.reference;
  if (isSame) await endBackOff(before, workload, kubectl, run.signal);
  // Setting the same image creates no new pods, but pods with live files must be replaced.
  const isRestart = isSame && findRunning(before, place).isLive;
  const since = Date.now();
  await api.patch(
    `${toDeploymentPath(place)}?fieldManager=wealist-local`,
    {
      spec: {
        template: {
          ...(isRestart
            ? { metadata: { annotations: { [restartedAnnotation]: new Date().toISOString() } } }
            : {}),
          spec: { containers: [{ name, image: wanted.reference }] },
        },
      },
    },
    run.signal,
  );
  const serving = waitUntilServing(deps, since, run).catch(async (error) => {
    run.signal.throwIfAborted();
    const isVerdict = error instanceof Failure && error.exitCode === exitCodes.workload;
    throw isVerdict ? await noteOldPods(deps, error, run) : error;
  });
  const replaced = serving.then(({ addresses }) =>
    listOwnAddresses(before, place).filter((each) => !addresses.includes(each)),
  );
  // `serving` rejects with the same error.
  replaced.catch(() => {});
  // kube-proxy applies new endpoints with a delay.
  const [running] = await Promise.all([serving, waitUntilUnrouted(replaced, run.signal)]);
  if (runsImage(running, wanted.id)) return;
  throw new Failure(`${name} is ready, but does not run the built image`, {
    cause: `built ${wanted.id}, running ${running.imageIds.join(', ') || 'nothing'}`,
    hint: `npm run reload -- ${name}`,
    exitCode: exitCodes.workload,
  });
}

function requireSameProgram(
  name: string,
  command: readonly string[] | undefined,
  { isStandIn }: WantedImage,
): void {
  // The charts start a stand-in by its command, and another image as it says itself.
  const isOther = isStandIn ? command === undefined : String(command) === String(standInCommand);
  if (!isOther) return;
  const text = isStandIn
    ? 'was deployed from its source, and is a stand-in now'
    : 'was deployed as a stand-in, and is built from its source now';
  throw new Failure(`${name} ${text}`, { hint: `npm run up -- ${name}`, exitCode: exitCodes.workload });
}

/** Polls the Deployment with small requests; a rollout that takes longer gets a verdict from a full snapshot. */
async function waitUntilServing(
  { api, kubectl, snapshots, place }: ReplaceImageDeps,
  since: number,
  run: Run,
): Promise<Running> {
  const over = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  try {
    return await whileAskingReadiness(api, listNewPods, signal, () =>
      Promise.race([untilServing(), verdict()]),
    );
  } finally {
    over.abort();
  }

  async function listNewPods(): Promise<readonly Pod[]> {
    const snapshot = await takeServiceSnapshot(api, place, signal);
    return findPods(snapshot, { kind: 'Deployment', ...place }).current;
  }

  async function untilServing(): Promise<Running> {
    for (;;) {
      const running = await findServing().catch((error) => {
        // The verdict limits how long the API server may not respond.
        if (error instanceof ApiFailure && error.status === undefined) return undefined;
        throw error;
      });
      if (running) return running;
      await sleep(interval, undefined, { signal });
    }
  }

  async function findServing(): Promise<Running | undefined> {
    const deployment = await findDeployment(api, place, signal);
    const { updatedReplicas, availableReplicas, replicas, observedGeneration = 0 } = deployment?.status ?? {};
    const isOver =
      availableReplicas === replicas &&
      updatedReplicas === replicas &&
      observedGeneration >= (deployment?.metadata.generation ?? 0);
    // Only a rollout that looks complete is checked further.
    if (!isOver) return undefined;
    const running = findRunning(await takeServiceSnapshot(api, place, signal), place);
    return running.isServing ? running : undefined;
  }

  /** Only rejects: success is found by `untilServing`. */
  async function verdict(): Promise<never> {
    await sleep(verdictDelay, undefined, { signal });
    const workload = { kind: 'Deployment', ...place } as const;
    const options = { kubectl, snapshots, stallTimeout, interval: verdictInterval, since };
    await waitUntilReady(workload, { ...options, run: { signal, report: run.report } });
    await sleep(endpointTimeout, undefined, { signal });
    throw new Failure(`${place.name} is ready, but its Service does not route to it`, {
      hint: `npm run kubectl -- -n ${place.namespace} describe service ${place.name}`,
      exitCode: exitCodes.workload,
    });
  }
}

/** Adds to the failure that previous pods still serve, if they do. */
async function noteOldPods(
  { api, place }: ReplaceImageDeps,
  failure: Failure,
  { signal }: Run,
): Promise<Failure> {
  const snapshot = await takeServiceSnapshot(api, place, signal);
  const { old } = findPods(snapshot, { kind: 'Deployment', ...place });
  if (!old.some(isPodReady)) return failure;
  const { message, cause, hint, exitCode } = failure;
  const serving = 'the previous pods still serve requests';
  return new Failure(message, {
    cause: typeof cause === 'string' ? `${cause}\n${serving}` : (cause ?? serving),
    exitCode,
    ...(hint === undefined ? {} : { hint }),
  });
}
