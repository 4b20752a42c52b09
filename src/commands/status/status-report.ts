import { z } from 'zod';
import { clusterStates } from '../context/cluster-state.ts';

const Freshness = z.strictObject({
  state: z
    .enum(['fresh', 'live', 'stale'])
    .describe('live: it runs its source as it is now, by files put over those of its image.'),
  broken: z
    .enum(['built', 'loaded', 'running'])
    .optional()
    .describe(
      'The first link that does not hold. built: no image is built of the source as it is now. loaded: the node does not have that image. running: its pods run another.',
    ),
  line: z.string().describe('The same in words.'),
});

const Part = z.strictObject({
  name: z
    .string()
    .describe('Of the service, of postgres, redis or s3, of the ingress controller, of a Job, of an extra.'),
  kind: z.enum(['service', 'infrastructure', 'ingress', 'job', 'extra']),
  state: z
    .enum(['ready', 'waiting', 'failed', 'absent'])
    .describe('waiting may still become ready; failed will not without a change; absent: not deployed.'),
  ready: z.int().describe('Pods of the newest revision that are ready.'),
  wanted: z.int().describe('Pods that should be.'),
  image: z.string().optional().describe('The image that its newest pod asks for.'),
  imageId: z.string().optional().describe('The image that it runs: sha256 and the hash.'),
  freshness: Freshness.optional().describe(
    'Whether a service runs its source as it is now: source = built = loaded = running.',
  ),
  restarts: z.int().describe('Of all containers of its pods.'),
  created: z.iso.datetime().optional().describe('When the oldest of its newest pods was created.'),
  address: z
    .string()
    .optional()
    .describe('Where it answers; for infrastructure, the command that forwards it.'),
  line: z.string().describe('The state in words, such as the cause of not being ready.'),
  evidence: z.string().optional().describe('What the cluster said of it.'),
  next: z.string().optional().describe('The command to go on with.'),
  note: z
    .string()
    .optional()
    .describe('What its chart says of it that is no fault, such as what it goes without.'),
});
export type Part = z.infer<typeof Part>;

const Node = z.strictObject({
  name: z.string(),
  ready: z.boolean(),
  type: z.string().optional().describe('app or db; the control plane, and a single node, have none.'),
  version: z.string().optional().describe('Of its Kubernetes.'),
});

/** What `status --json` prints. A field is never taken away or changed in its meaning without another `version`. */
export const StatusReport = z.strictObject({
  version: z.literal(1),
  environment: z.string(),
  namespace: z.string(),
  ready: z.boolean().describe('All parts are ready and the ingress answers.'),
  fresh: z.boolean().describe('No service is known to run anything but its source as it is now.'),
  cluster: z.strictObject({
    name: z.string().describe('Elsewhere, the kube context.'),
    state: z
      .enum(clusterStates)
      .describe(
        'silent: its node runs, its API server does not answer. unknown: no container engine to ask.',
      ),
    evidence: z.string().optional(),
    server: z
      .string()
      .optional()
      .describe('Address of the API server of a cluster elsewhere, which is only read.'),
    nodes: z.array(Node).readonly(),
    networkPolicies: z
      .strictObject({
        state: z
          .enum(['none', 'not probed', 'enforced', 'not enforced'])
          .describe('Whether a connection that the policies deny was refused when `up` tried it.'),
        at: z.iso.datetime().optional().describe('When it was tried.'),
      })
      .optional(),
  }),
  ingress: z
    .strictObject({
      url: z.string(),
      answers: z.boolean().describe('With any HTTP status below 500, within a second.'),
      status: z.int().optional().describe('The HTTP status of its answer.'),
      evidence: z.string().optional().describe('Why there was no answer.'),
    })
    .optional(),
  extras: z
    .array(
      z.strictObject({
        name: z.string(),
        lacking: z.array(z.string()).readonly().describe('Images that it does without here.'),
      }),
    )
    .readonly()
    .describe('What is deployed beside the platform.'),
  parts: z.array(Part).readonly(),
  next: z.string().optional().describe('The command to go on with when not all is ready and fresh.'),
});
export type StatusReport = z.infer<typeof StatusReport>;

/** The JSON Schema of a report; `docs/status.schema.json` has it, too. */
export function toStatusSchema(): object {
  return z.toJSONSchema(StatusReport, { reused: 'inline' });
}
