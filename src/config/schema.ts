import { z } from 'zod';

/** RFC 1123 label, less the names that mean something else to JavaScript or to Kubernetes. */
const reserved = new Set(['constructor', 'prototype', 'kube-system', 'kube-public', 'default']);
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label: a-z, 0-9 and -, at most 63 characters')
  .refine((name) => !reserved.has(name), 'is a reserved name');

const port = z.int().min(1).max(65_535);

/** What the platform stands on; a service's `needs` may name these beside other services. */
export const infrastructure = ['postgres', 'redis', 's3'] as const;
export type Infrastructure = (typeof infrastructure)[number];

export const Service = z.strictObject({
  port,
  /** Public path: `/svc/<route>/…`; without it the service is what `/` answers with. */
  route: dnsLabel.optional(),
  /** Services and infrastructure that must be ready before this one is deployed. */
  needs: z.array(dnsLabel).default([]),
  /** Folder of the stand-in, relative to the checkout. */
  standIn: z.string(),
  /** Relative to the environment's `source`; used when the file exists there. */
  dockerfile: z.string().optional(),
  /** Build context of the Dockerfile, relative to the environment's `source`. */
  context: z.string().optional(),
  /** auto: from the source where it has the Dockerfile, else the stand-in. source: the Dockerfile must exist. */
  build: z.enum(['auto', 'source', 'stand-in']).default('auto'),
});
export type Service = z.infer<typeof Service>;

export const Environment = z.strictObject({
  name: dnsLabel,
  namespace: dnsLabel,
  cluster: z.strictObject({
    name: dnsLabel,
    httpPort: port,
    httpsPort: port,
  }),
  ingress: z.strictObject({ controller: z.enum(['auto', 'nginx', 'traefik']) }),
  /** A checkout of weAlist whose Dockerfiles are built instead of the stand-ins; relative to this checkout. */
  source: z.string().optional(),
  registry: z
    .strictObject({
      /** Host[:port] asked in place of the public registries; images keep their repository's path below it. */
      mirror: z.string().optional(),
      /** auto: pull, else build from packages. never: build without asking a registry. only: never build. */
      pull: z.enum(['auto', 'never', 'only']).default('auto'),
    })
    .default({ pull: 'auto' }),
  services: z.record(dnsLabel, Service),
});
/** One named set of services and settings, merged and checked: `env/<name>.yaml` over what it extends. */
export type Environment = z.infer<typeof Environment>;
