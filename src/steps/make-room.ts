import type { Requests } from '../config/requests.ts';
import { listNodeLoads, toRequest } from '../diagnosis/node-load.ts';
import type { Snapshot, Snapshots } from '../diagnosis/snapshot.ts';
import { toAmount } from '../lib/quantity.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { type Deployment, findComponent } from '../tools/kubernetes/objects.ts';

export interface MakeRoomDeps {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly namespace: string;
  /** What one pod of each service that this run deploys will request. */
  readonly requests: () => Promise<ReadonlyMap<string, Requests>>;
}

/** Milliseconds in which the old pods must end; their grace period is 10 s. */
const timeout = 30_000;

const resources = [
  { name: 'cpu', key: 'cpus' },
  { name: 'memory', key: 'memory' },
] as const;

/**
 * A rollout starts the new pod beside the old one. Where no node has room for that, the services that will request less
 * get their lower requests now, and their old pods end first. Otherwise one that is deployed earlier would fail for lack of
 * room that a later one no longer needs, in every run.
 */
export function makeRoom({ kubectl, snapshots, namespace, requests }: MakeRoomDeps): Step {
  const listServices = (snapshot: Snapshot) =>
    snapshot.list('Deployment').filter(({ metadata }) => metadata.namespace === namespace);

  /** Whether a pod waits for room, or a second pod of the largest service would. Reads no values file. */
  function isTight(snapshot: Snapshot): boolean {
    const isWaiting = snapshot.list('Pod').some(({ metadata, spec, status }) => {
      const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
      const isShort = /Insufficient (cpu|memory)/.test(scheduled?.message ?? '');
      return metadata.namespace === namespace && spec.nodeName === undefined && isShort;
    });
    const largestOf = (resource: string) =>
      Math.max(0, ...listServices(snapshot).map((each) => toPodRequest(each, resource)));
    return isWaiting || resources.some(({ name }) => largestOf(name) > findRoom(snapshot, name));
  }

  /** What will not fit beside what runs now; undefined when every new pod will. */
  async function findShortage(snapshot: Snapshot): Promise<string | undefined> {
    for (const [service, wanted] of await requests()) {
      for (const { name, key } of resources) {
        const room = findRoom(snapshot, name);
        if (wanted[key] <= room) continue;
        return `a new pod of ${service} requests ${toAmount(name, wanted[key])}, ${toAmount(name, room)} is free`;
      }
    }
    return undefined;
  }

  /** The services that request more than they will. */
  async function listLowered(snapshot: Snapshot): Promise<readonly Lowered[]> {
    const wanted = await requests();
    return listServices(snapshot).flatMap((deployment) => {
      const { name } = deployment.metadata;
      const lower = wanted.get(name);
      const spec = deployment.spec.template.spec;
      if (!lower || !spec || deployment.spec.replicas === 0) return [];
      // One that rises may be above the present limit; Helm sets both.
      const changed = resources.filter((each) => lower[each.key] < toRequest(spec, each.name));
      return changed.length === 0 ? [] : [{ name, lower, changed }];
    });
  }

  return {
    title: 'lowered requests',

    async isDone({ signal }) {
      const snapshot = await snapshots.take(signal, { maxAge: 1_000 });
      if (!isTight(snapshot) || (await findShortage(snapshot)) === undefined) {
        return 'new pods fit beside the old ones';
      }
      return (await listLowered(snapshot)).length === 0 && 'no service requests less than before';
    },

    async apply({ signal, report }) {
      const before = await snapshots.take(signal);
      const shortage = await findShortage(before);
      const lowered = await listLowered(before);
      if (shortage === undefined || lowered.length === 0) return;
      report(`${shortage}: lowering the requests of ${lowered.map(({ name }) => name).join(', ')}`);
      for (const each of lowered) {
        const where = ['deployment', each.name, `--namespace=${namespace}`];
        const patch = JSON.stringify(toPatch(each));
        await kubectl.run(['patch', ...where, '--type=strategic', `--patch=${patch}`], signal);
      }
      const wanted = new Map(lowered.map((each) => [each.name, each]));
      const hasRoom = async () => {
        const snapshot = await snapshots.take(signal);
        const isEnding = snapshot.list('Pod').some((pod) => {
          const lower = wanted.get(findComponent(pod) ?? '');
          return pod.metadata.namespace === namespace && lower !== undefined && exceeds(pod.spec, lower);
        });
        return (!isEnding && (await findShortage(snapshot)) === undefined) || undefined;
      };
      // What still does not fit fails where it is deployed, with its numbers.
      await waitFor(hasRoom, { interval: 500, timeout, signal });
    },
  };
}

/** The most that a node has free of a resource; without a node, which no pod waits for, as much as may be wanted. */
function findRoom(snapshot: Snapshot, resource: string): number {
  return listNodeLoads(snapshot, resource)[0]?.free ?? Number.POSITIVE_INFINITY;
}

function toPodRequest({ spec }: Deployment, resource: string): number {
  const pod = spec.template.spec;
  return pod && spec.replicas !== 0 ? toRequest(pod, resource) : 0;
}

/** A service's lower requests, and which of them are lower. */
interface Lowered {
  readonly name: string;
  readonly lower: Requests;
  readonly changed: readonly (typeof resources)[number][];
}

function exceeds(spec: Parameters<typeof toRequest>[0], { lower, changed }: Lowered): boolean {
  return changed.some(({ name, key }) => toRequest(spec, name) > lower[key]);
}

/** Helm's next upgrade of the release puts the strategy back. */
function toPatch({ name, lower, changed }: Lowered): object {
  const amounts = { cpu: `${Math.round(lower.cpus * 1000)}m`, memory: String(Math.round(lower.memory)) };
  const requests = Object.fromEntries(changed.map((each) => [each.name, amounts[each.name]]));
  return {
    spec: {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } },
      template: { spec: { containers: [{ name, resources: { requests } }] } },
    },
  };
}
