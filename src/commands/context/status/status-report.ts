import { z } from 'zod';
import { clusterStates } from '../cluster-state.ts';

const Freshness = z.strictObject({
  state: z
    .enum(['fresh', 'live', 'stale'])
    .describe('live: it runs its current source, with files that replace those of its image.'),
  broken: z
    .enum(['built', 'loaded', 'running'])
    .optional()
    .describe(
      'The first condition that is not met. built: no image of the current source was built. loaded: that image is not on the node. running: its pods run another image.',
    ),
  line: z.string().describe('The same as text.'),
});

const ComponentReport = z.strictObject({
  name: z
    .string()
    .describe('Name of the service, data store (postgres, redis, s3), ingress controller, Job or extra.'),
  kind: z.enum(['service', 'infrastructure', 'ingress', 'job', 'extra']),
  state: z
    .enum(['ready', 'waiting', 'failed', 'absent'])
    .describe('waiting may still become ready; failed will not without a change; absent: not deployed.'),
  ready: z.int().describe('Pods of the newest revision that are ready.'),
  wanted: z.int().describe('Pods that should be ready.'),
  image: z.string().optional().describe('The image that its newest pod specifies.'),
  imageId: z.string().optional().describe('ID of the image that it runs: sha256: and the hash.'),
  freshness: Freshness.optional().describe(
    'Whether a service runs its current source: source = built = loaded = running.',
  ),
  restarts: z.int().describe('Restarts of all containers of its pods.'),
  needs: z
    .array(z.string())
    .readonly()
    .describe('Names of the components that it needs, directly or indirectly.'),
  unmetNeeds: z.array(z.string()).readonly().describe('Those of its needs that are not ready.'),
  created: z.iso.datetime().optional().describe('When the oldest pod of the newest revision was created.'),
  address: z
    .string()
    .optional()
    .describe('Its URL; for infrastructure, the command that forwards a port to it.'),
  line: z.string().describe('The state as text, such as why it is not ready.'),
  evidence: z.string().optional().describe('What the cluster reports about it.'),
  next: z.string().optional().describe('The command to run next.'),
  intercepted: z
    .string()
    .optional()
    .describe(
      'The program of this machine that gets its requests in place of its pods, while `intercept` runs.',
    ),
  note: z
    .string()
    .optional()
    .describe('A remark of its chart that is not a problem, such as an optional image that is missing.'),
});
export type ComponentReport = z.infer<typeof ComponentReport>;

const Node = z.strictObject({
  name: z.string(),
  ready: z.boolean(),
  type: z.string().optional().describe('app or db; absent for the control plane and for a single node.'),
  version: z.string().optional().describe('Kubernetes version of its kubelet.'),
});

/** What `status --json` prints. No field is removed or changes its meaning without a new `version`. */
export const StatusReport = z.strictObject({
  version: z.literal(1),
  environment: z.string(),
  namespace: z.string(),
  ready: z.boolean().describe('All components are ready and the ingress responds.'),
  fresh: z.boolean().describe('No service is known to run anything other than its current source.'),
  cluster: z.strictObject({
    name: z.string().describe('Of a remote cluster, the kube context.'),
    state: z
      .enum(clusterStates)
      .describe(
        'silent: its node runs, but its API server does not respond. unknown: no container engine is reachable.',
      ),
    evidence: z.string().optional(),
    server: z
      .string()
      .optional()
      .describe('Address of the API server of a remote cluster, which is read-only.'),
    nodes: z.array(Node).readonly(),
    networkPolicies: z
      .strictObject({
        state: z
          .enum(['none', 'not probed', 'enforced', 'not enforced'])
          .describe('Whether a connection that the policies deny was blocked when `up` tested it.'),
        at: z.iso.datetime().optional().describe('When it was tested.'),
      })
      .optional(),
  }),
  ingress: z
    .strictObject({
      url: z.string(),
      answers: z.boolean().describe('Whether it responds with an HTTP status below 500 within a second.'),
      status: z.int().optional().describe('The HTTP status of its response.'),
      evidence: z.string().optional().describe('Why there was no response.'),
    })
    .optional(),
  extras: z
    .array(
      z.strictObject({
        name: z.string(),
        lacking: z.array(z.string()).readonly().describe('Optional images that it runs without.'),
      }),
    )
    .readonly()
    .describe('Extras that are deployed with the platform.'),
  parts: z.array(ComponentReport).readonly(),
  next: z.string().optional().describe('The command to run next if not everything is ready and fresh.'),
});
export type StatusReport = z.infer<typeof StatusReport>;

/** The JSON Schema of a report; `docs/status.schema.json` is a copy of it. */
export function toStatusSchema(): object {
  return z.toJSONSchema(StatusReport, { reused: 'inline' });
}
