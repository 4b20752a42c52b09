import { infrastructure } from '../config/schema.ts';
import { findComponent, type Pod } from '../tools/kubernetes/objects.ts';

/** One reason why a workload, node or Service is not ready. */
export interface Finding {
  /** `failed`: it does not recover without a change, or not soon. `waiting`: it may still recover. */
  readonly state: 'waiting' | 'failed';
  /** The statement that the user reads first, such as `Secret jwt does not exist`. */
  readonly line: string;
  /** The message that shows it, as the cluster or a log printed it. */
  readonly evidence?: string;
  /** The log that says why. */
  readonly log?: LogReference;
  /** It runs without being ready, possibly because of a component that it needs. */
  readonly mayWaitForNeeds?: true;
  /** The command to go on with. */
  readonly next?: string;
}

export interface LogReference {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The log of the previous run, as `kubectl logs --previous` prints it. */
  readonly previous: boolean;
}

/** A kubectl command as the user types it. */
export function toKubectlLine(namespace: string | undefined, ...words: readonly string[]): string {
  return ['npm run kubectl --', ...(namespace === undefined ? [] : ['-n', namespace]), ...words].join(' ');
}

/** The command that shows a pod's log. */
export function toLogsLine({ metadata }: Pod, container: string, { previous = false } = {}): string {
  const flag = previous ? ['--previous'] : [];
  const service = findComponent({ metadata });
  if (service !== undefined) return ['npm run logs --', service, ...flag].join(' ');
  return toKubectlLine(metadata.namespace, 'logs', metadata.name, '-c', container, ...flag);
}

/** Key of the Helm values of a pod's component, such as `services.auth-service`; undefined for another pod. */
export function toValuesKey(pod: Pod): string | undefined {
  const component = findComponent(pod);
  if (component === undefined) return undefined;
  const group = (infrastructure as readonly string[]).includes(component) ? 'infrastructure' : 'services';
  return `${group}.${component}`;
}
