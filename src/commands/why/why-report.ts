import { z } from 'zod';
import { clusterStates } from '../context/cluster-state.ts';

const Cause = z.strictObject({
  about: z
    .string()
    .optional()
    .describe(
      'What it lies in: a part, `node <name>`, dns, ingress, cluster; absent where it lies in several.',
    ),
  state: z.enum(['waiting', 'failed']).describe('waiting may still heal by itself.'),
  line: z.string(),
  evidence: z.string().optional().describe('What the cluster, or a log, said of it.'),
  log: z.string().optional().describe('The last lines of the log that tells more.'),
  next: z.string().optional().describe('The command to go on with.'),
  affects: z
    .array(z.string())
    .readonly()
    .describe('Parts that are not ready, or not reached, because of it.'),
});

/** What `why --json` prints. A field is never taken away or changed in its meaning without another `version`. */
export const WhyReport = z.strictObject({
  version: z.literal(1),
  environment: z.string(),
  namespace: z.string(),
  cluster: z.strictObject({
    name: z.string(),
    state: z.enum(clusterStates),
  }),
  service: z.string().optional().describe('The one that was asked about.'),
  causes: z
    .array(Cause)
    .readonly()
    .describe('The one that hits most first; none when all is as it should be.'),
  line: z.string().describe('The result in words.'),
  next: z.string().optional().describe('The command to go on with.'),
});
export type WhyReport = z.infer<typeof WhyReport>;
