import { z } from 'zod';
import { instanceLabel, interceptAnnotation } from '../lib/labels.ts';
import type { Service } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

const Intercept = z.object({
  /** The process that intercepts, on the machine of this cluster. */
  pid: z.int(),
  /** Distinguishes it from a later process with the same PID. */
  started: z.string(),
  /** What it runs in place of the service; undefined when something else starts that program. */
  command: z.string().optional(),
  /** Value of the Service's selector before, to which it is set back. */
  instance: z.string(),
});

/** Who intercepts a service, as its Service's annotation says. */
export type Intercept = z.infer<typeof Intercept>;

/** Name of the pod that stands in for an intercepted service, and of the objects that it needs. */
export const toAgentName = (service: string): string => `${service}-intercept`;

/** Value by which an intercepted Service selects its agent. */
export const toAgentInstance = (service: string): string => `${service}.intercept`;

/** Whether an object belongs to the agent of an intercepted service. */
export function isOfAgent({ metadata: { labels = {} } }: Pick<Service, 'metadata'>): boolean {
  const service = labels['app.kubernetes.io/name'];
  return service !== undefined && labels[instanceLabel] === toAgentInstance(service);
}

/** The annotation's content; undefined when there is none, or it was damaged by hand. */
export function findInterceptMark({ metadata }: Pick<Service, 'metadata'>): Intercept | undefined {
  const text = metadata.annotations?.[interceptAnnotation];
  if (text === undefined) return undefined;
  try {
    return Intercept.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the Service routes to the agent. */
export function isIntercepted({ metadata, spec }: Service): boolean {
  return spec.selector?.[instanceLabel] === toAgentInstance(metadata.name);
}

/** Who intercepts the service of this name now; undefined when the service routes to its own pods. */
export function findIntercept(snapshot: Snapshot, name: string, namespace: string): Intercept | undefined {
  const service = snapshot.find('Service', name, namespace);
  return service && isIntercepted(service) ? findInterceptMark(service) : undefined;
}

/** Names of the services of a namespace that are intercepted. */
export function listIntercepted(snapshot: Snapshot, namespace: string): readonly string[] {
  return snapshot
    .list('Service')
    .filter((service) => service.metadata.namespace === namespace && isIntercepted(service))
    .map(({ metadata }) => metadata.name);
}

/** `intercepted by this machine (go run ./cmd/api, PID 4711)` */
export function describeIntercept({ command, pid }: Pick<Intercept, 'command' | 'pid'>): string {
  return `intercepted by this machine (${command === undefined ? '' : `${command}, `}PID ${pid})`;
}
