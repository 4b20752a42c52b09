import { infrastructure } from '../config/schema.ts';
import { findComponent, type Pod } from '../tools/kubernetes/objects.ts';

/** Why something is not ready. */
export interface Finding {
  /** `failed`: it will not heal by itself, or not soon. */
  readonly state: 'waiting' | 'failed';
  /** What the person reads first, such as `Secret jwt does not exist`. */
  readonly line: string;
  /** Where it was seen: somebody else's words, as they were. */
  readonly evidence?: string;
  /** The log that tells more: what is seen from outside does not say why. */
  readonly log?: LogReference;
  /** It runs and waits, and may do so for something that it needs. */
  readonly isOpen?: true;
  /** The command to go on with. */
  readonly next?: string;
}

export interface LogReference {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Of the run before. */
  readonly previous: boolean;
}

/** The line with which a person asks the cluster itself. */
export function toKubectlLine(namespace: string | undefined, ...words: readonly string[]): string {
  return ['npm run kubectl --', ...(namespace === undefined ? [] : ['-n', namespace]), ...words].join(' ');
}

/** The line that shows a pod's log. */
export function toLogsLine({ metadata }: Pod, container: string, { previous = false } = {}): string {
  const flag = previous ? ['--previous'] : [];
  const service = findComponent({ metadata });
  if (service !== undefined) return ['npm run logs --', service, ...flag].join(' ');
  return toKubectlLine(metadata.namespace, 'logs', metadata.name, '-c', container, ...flag);
}

/** Where the values of a pod's chart are, in the files of an environment; undefined for a pod that is none of ours. */
export function toValuesKey(pod: Pod): string | undefined {
  const part = findComponent(pod);
  if (part === undefined) return undefined;
  const group = (infrastructure as readonly string[]).includes(part) ? 'infrastructure' : 'services';
  return `${group}.${part}`;
}
