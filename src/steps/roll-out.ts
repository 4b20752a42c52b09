import { waitUntilReplaced } from '../cluster/ending.ts';
import { findPods } from '../cluster/pods.ts';
import { waitUntilReady } from '../cluster/ready.ts';
import type { Snapshot, Snapshots } from '../cluster/snapshot.ts';
import { judge } from '../cluster/verdict.ts';
import type { ServiceImage } from '../images/service-image.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { imageId } from '../lib/oci.ts';
import type { Step } from '../lib/plan.ts';
import type { Kubectl } from '../tools/kubectl.ts';

export interface RollOutParts {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly namespace: string;
  /** Of the service, its Deployment and its container. */
  readonly name: string;
  /** What shall run, asked once it is built. */
  readonly image: () => Promise<ServiceImage>;
}

/** Milliseconds that new pods have; what cannot heal ends the wait earlier, and the old pods go on serving meanwhile. */
const readyTimeout = 180_000;

/**
 * The service's pods run this image, proved by the image ID that the node reports for each of them. The release's own
 * values follow with the next `up`.
 */
export function rollOut({ kubectl, snapshots, namespace, name, image }: RollOutParts): Step {
  const workload = { kind: 'Deployment', name, namespace } as const;

  return {
    title: `roll out ${name}`,

    async isDone({ signal }) {
      const [wanted, snapshot] = await Promise.all([image(), snapshots.take(signal, { maxAge: 1_000 })]);
      const isReady = judge(snapshot, workload).state === 'ready';
      return isReady && listOthers(snapshot, wanted).length === 0 && `already running ${wanted.reference}`;
    },

    async apply(run) {
      const wanted = await image();
      const target = [`--namespace=${namespace}`, `deployment/${name}`, `${name}=${wanted.reference}`];
      await kubectl.run(['set', 'image', ...target], run.signal);
      await waitUntilReady(workload, { kubectl, snapshots, timeout: readyTimeout, every: 150, run });
      await waitUntilReplaced(workload, snapshots, run);
      const others = listOthers(await snapshots.take(run.signal), wanted);
      if (others.length === 0) return;
      throw new Failure(`${name} is ready but does not run what was built`, {
        cause: `built ${imageId(wanted.image)}, running ${others.join(', ')}`,
        hint: `npm run reload -- ${name}`,
        exitCode: exitCodes.workload,
      });
    },
  };

  /** Image IDs that the newest pods run and that are not the wanted one; none when all run it. */
  function listOthers(snapshot: Snapshot, wanted: ServiceImage): readonly string[] {
    const statuses = findPods(snapshot, workload).current.flatMap(
      (pod) => pod.status.containerStatuses ?? [],
    );
    const running = statuses.filter((status) => status.name === name).map(({ imageID }) => imageID);
    const expected = imageId(wanted.image);
    return running.length === 0 ? ['nothing'] : running.filter((id) => !id.endsWith(expected));
  }
}
