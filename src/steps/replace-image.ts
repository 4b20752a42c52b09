import { setTimeout as sleep } from 'node:timers/promises';
import { findPods } from '../diagnosis/pods.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import { findRunning, listAddresses, type Running, runsImage } from '../diagnosis/running-image.ts';
import {
  findDeployment,
  type ServicePlace,
  takeServiceSnapshot,
  toDeploymentPath,
} from '../diagnosis/service-snapshot.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { restartedAnnotation } from '../lib/labels.ts';
import type { Digest } from '../lib/oci.ts';
import type { Run } from '../plan/plan.ts';
import { ApiFailure, type ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { isPodReady } from '../tools/kubernetes/objects.ts';
import { endBackOff } from './end-back-off.ts';

export interface ReplaceDeps {
  readonly api: ApiServer;
  /** For verdicts on what does not become ready. */
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly place: ServicePlace;
  /** Resolves once no node leads anybody to these addresses of pods. */
  readonly waitUntilUnrouted: (addresses: Promise<readonly string[]>, signal: AbortSignal) => Promise<void>;
}

export interface WantedImage {
  readonly reference: string;
  readonly id: Digest;
  /** The start that the chart gives to stand-ins, which no other image has; undefined for a stand-in. */
  readonly foreignCommand: readonly string[] | undefined;
}

/** Milliseconds that new pods have; what cannot heal ends the wait earlier, and the old pods go on serving meanwhile. */
const readyTimeout = 180_000;

/** Milliseconds between two small questions, and until, and between, those that say why it takes so long. */
const interval = 50;
const timeout = 1_500;
const verdictInterval = 1_000;

/** Milliseconds in which a pod that is ready gets its endpoint. */
const endpointTimeout = 10_000;

/**
 * The service's pods run this image, proved by the image ID that the node reports for each, and are all that its
 * endpoints name and its address leads to. Pods of before may still be ending. The release's own values follow with the
 * next `up`.
 * @throws {Failure} exit code 8: the cause is the verdict on what does not become ready.
 */
export async function replaceImage(deps: ReplaceDeps, wanted: WantedImage, run: Run): Promise<void> {
  const { api, kubectl, place, waitUntilUnrouted } = deps;
  const { namespace, name } = place;
  const workload = { kind: 'Deployment', name, namespace } as const;
  const before = await takeServiceSnapshot(api, place, run.signal);
  const deployment = before.find('Deployment', name, namespace);
  const container = deployment?.spec.template?.spec.containers.find((each) => each.name === name);
  if (!container) {
    throw new Failure(`${name} is not deployed`, {
      hint: `npm run up -- ${name}`,
      exitCode: exitCodes.workload,
    });
  }
  const isSame = container.image === wanted.reference;
  if (isSame) await endBackOff(before, workload, kubectl, run.signal);
  // The same image again gives no new pods by itself, and those of now run something else.
  const isRestart = isSame && findRunning(before, place).isLive;
  const isForeign = String(container.command) === String(wanted.foreignCommand);
  const since = Date.now();
  await api.patch(
    `${toDeploymentPath(place)}?fieldManager=wealist-local`,
    {
      spec: {
        template: {
          ...(isRestart
            ? { metadata: { annotations: { [restartedAnnotation]: new Date().toISOString() } } }
            : {}),
          spec: { containers: [{ name, image: wanted.reference, ...(isForeign ? { command: null } : {}) }] },
        },
      },
    },
    run.signal,
  );
  const serving = waitUntilServing(deps, since, run).catch(async (error) => {
    run.signal.throwIfAborted();
    const isVerdict = error instanceof Failure && error.exitCode === exitCodes.workload;
    throw isVerdict ? await describeOld(deps, error, run) : error;
  });
  const replaced = serving.then(({ addresses }) =>
    listAddresses(before.list('Pod')).filter((each) => !addresses.includes(each)),
  );
  // Why it does not serve, `serving` says.
  replaced.catch(() => {});
  // The endpoints are written when it serves; kube-proxy takes its time to follow them.
  const [running] = await Promise.all([serving, waitUntilUnrouted(replaced, run.signal)]);
  if (runsImage(running, wanted.id)) return;
  throw new Failure(`${name} is ready but does not run what was built`, {
    cause: `built ${wanted.id}, running ${running.imageIds.join(', ') || 'nothing'}`,
    hint: `npm run reload -- ${name}`,
    exitCode: exitCodes.workload,
  });
}

/** Asks for little and often; what takes longer than it should is asked everything, for the verdict. */
async function waitUntilServing(
  { api, kubectl, snapshots, place }: ReplaceDeps,
  since: number,
  run: Run,
): Promise<Running> {
  const over = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  try {
    return await Promise.race([untilServing(), verdict()]);
  } finally {
    over.abort();
  }

  async function untilServing(): Promise<Running> {
    for (;;) {
      const running = await findServing().catch((error) => {
        // How long a cluster may be silent, the verdict says.
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
    // Only what may be the end is worth the other questions.
    if (!isOver) return undefined;
    const running = findRunning(await takeServiceSnapshot(api, place, signal), place);
    return running.isServing ? running : undefined;
  }

  /** Never resolves: that all is well, the other one finds. */
  async function verdict(): Promise<never> {
    await sleep(timeout, undefined, { signal });
    const workload = { kind: 'Deployment', ...place } as const;
    const options = { kubectl, snapshots, timeout: readyTimeout, interval: verdictInterval, since };
    await waitUntilReady(workload, { ...options, run: { signal, report: run.report } });
    await sleep(endpointTimeout, undefined, { signal });
    throw new Failure(`${place.name} is ready, and its Service does not lead to it`, {
      hint: `npm run kubectl -- -n ${place.namespace} describe service ${place.name}`,
      exitCode: exitCodes.workload,
    });
  }
}

/** The failure, and whether somebody still answers. */
async function describeOld({ api, place }: ReplaceDeps, failure: Failure, { signal }: Run): Promise<Failure> {
  const snapshot = await takeServiceSnapshot(api, place, signal);
  const { old } = findPods(snapshot, { kind: 'Deployment', ...place });
  if (!old.some(isPodReady)) return failure;
  const { message, cause, hint, exitCode } = failure;
  const serving = 'what ran before goes on serving';
  return new Failure(message, {
    cause: typeof cause === 'string' ? `${cause}\n${serving}` : (cause ?? serving),
    exitCode,
    ...(hint === undefined ? {} : { hint }),
  });
}
