import { z } from 'zod';
import { clusterStates } from '../cluster-state.ts';

const Cause = z.strictObject({
  about: z
    .string()
    .optional()
    .describe(
      'Where the cause is: a component, `node <name>`, dns, ingress or cluster; absent if it is in several.',
    ),
  state: z.enum(['waiting', 'failed']).describe('waiting may still resolve itself.'),
  line: z.string(),
  evidence: z.string().optional().describe('What the cluster or a log reports about it.'),
  log: z.string().optional().describe('The last lines of the log with the details.'),
  next: z.string().optional().describe('The command to run next.'),
  affects: z
    .array(z.string())
    .readonly()
    .describe('Components that are not ready, or not reachable, because of it.'),
});

/** What `why --json` prints. No field is removed or changes its meaning without a new `version`. */
export const WhyReport = z.strictObject({
  version: z.literal(1),
  environment: z.string(),
  namespace: z.string(),
  cluster: z.strictObject({
    name: z.string(),
    state: z.enum(clusterStates),
  }),
  service: z.string().optional().describe('The service named on the command line.'),
  causes: z
    .array(Cause)
    .readonly()
    .describe('Sorted by how many components they affect; empty if everything is ready.'),
  line: z.string().describe('The result as text.'),
  next: z.string().optional().describe('The command to run next.'),
});
export type WhyReport = z.infer<typeof WhyReport>;
