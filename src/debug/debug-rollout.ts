import { z } from 'zod';
import { exitCodes, Failure } from '../lib/failure.ts';
import { debugAnnotation } from '../lib/labels.ts';
import type { Container, Deployment, Probe } from '../tools/kubernetes/objects.ts';

const Mark = z.object({
  /** The process that debugs, on the machine of this cluster. */
  pid: z.int(),
  /** Distinguishes it from a later process with the same PID. */
  started: z.string(),
  /** The patch that takes the rollout back. */
  undo: z.record(z.string(), z.unknown()),
});

/** Who has rolled out a Deployment for a debugger, and how it was before, as its annotation says. */
export type DebugMark = z.infer<typeof Mark>;

/** Where the JVM listens for a debugger, on the loopback of its pod. */
export const jdwpPort = 5_005;

const javaOptions = 'JAVA_TOOL_OPTIONS';
const jdwp = `-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:${jdwpPort}`;

/** Failures of a probe after which Kubernetes would act; none of a debugging session reaches it. */
const manyFailures = 1_000_000;

const probeKeys = ['livenessProbe', 'readinessProbe'] as const;

/** The annotation's content; undefined when there is none, or it was damaged by hand. */
export function findDebugMark({ metadata }: Pick<Deployment, 'metadata'>): DebugMark | undefined {
  const text = metadata.annotations?.[debugAnnotation];
  if (text === undefined) return undefined;
  try {
    return Mark.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export interface DebugRolloutOptions {
  readonly container: string;
  readonly isJvm: boolean;
  /** JAVA_TOOL_OPTIONS that the container gets from a ConfigMap as a whole. */
  readonly inherited?: string | undefined;
}

/**
 * Patches that prepare a service's pods for a debugger, and that undo it. Probes then bear a program that stands still at a
 * breakpoint, which a liveness probe would restart; a JVM listens for its debugger.
 * @throws {Failure} exit code 9 for JVM options from a Secret, which the Deployment must not show.
 */
export function toDebugPatches(
  deployment: Deployment,
  { container: name, isJvm, inherited }: DebugRolloutOptions,
): { readonly change: object; readonly undo: Record<string, unknown> } {
  const container = deployment.spec.template.spec?.containers.find((each) => each.name === name);
  if (!container) throw new Error(`Deployment ${deployment.metadata.name} has no container ${name}`);
  const probes = probeKeys.filter((key) => container[key]);
  const options = isJvm ? toOptions(container, inherited) : undefined;
  return {
    change: toPatch(name, {
      ...Object.fromEntries(probes.map((key) => [key, { failureThreshold: manyFailures }])),
      ...(options && { env: [options.changed] }),
    }),
    undo: toPatch(name, {
      ...Object.fromEntries(probes.map((key) => [key, { failureThreshold: toThreshold(container[key]) }])),
      ...(options && { env: [options.previous] }),
    }),
  };
}

function toOptions({ name: container, env = [] }: Container, inherited: string | undefined) {
  const own = env.find(({ name }) => name === javaOptions);
  if (own?.valueFrom) {
    throw new Failure(`${javaOptions} of ${container} is not a plain value of its Deployment`, {
      hint: `set ${javaOptions}=${jdwp} yourself, and use: npm run forward ${container}:${jdwpPort}`,
      exitCode: exitCodes.refused,
    });
  }
  const value = [own?.value ?? inherited, jdwp].filter(Boolean).join(' ');
  return {
    changed: { name: javaOptions, value },
    previous: own ? { name: javaOptions, value: own.value } : { name: javaOptions, $patch: 'delete' },
  };
}

function toThreshold(probe: Probe | undefined): number {
  return probe?.failureThreshold ?? 3;
}

function toPatch(container: string, fields: object): Record<string, unknown> {
  return { spec: { template: { spec: { containers: [{ name: container, ...fields }] } } } };
}

/** Seconds that a program may stand still until its liveness probe restarts it; undefined without such a probe. */
export function findStandstill(container: Container | undefined): number | undefined {
  const probe = container?.livenessProbe;
  return probe && (probe.periodSeconds ?? 10) * toThreshold(probe);
}
