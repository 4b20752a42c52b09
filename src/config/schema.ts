import { isAbsolute, normalize, posix } from 'node:path';
import { z } from 'zod';
import { clusterNameLength, toNamePattern } from '../lib/name-pattern.ts';
import { findNearest } from '../lib/nearest.ts';
import { extraNames } from './extras.ts';

/*
 * The message of each rule completes "got X, expected …"; the descriptions are what editors show.
 */

/** What the platform stands on; a service's `needs` may name these beside other services. */
export const infrastructure = ['postgres', 'redis', 's3'] as const;
export type Infrastructure = (typeof infrastructure)[number];

/** What a worker node is for, after the platform's node groups: services, or data stores. */
export const workerTypes = ['app', 'db'] as const;
export type WorkerType = (typeof workerTypes)[number];

/** Valid names that mean something else to JavaScript, to Kubernetes or to our charts. */
const reserved = new Set<string>([
  ...infrastructure,
  ...['constructor', 'prototype', 'default', 'kubernetes'],
  ...['kube-system', 'kube-public', 'kube-node-lease', 'ingress-nginx', 'local-path-storage'],
  ...['metrics', 'monitoring', 'argocd'],
  ...['wealist-common', 'wealist-infrastructure'],
]);

/** A DNS label of at most `length` characters that begins with a letter, as Kubernetes wants names of Services. */
function name(length: number, example: string) {
  const rule = `a name of a-z, 0-9 and -, at most ${length} characters, first a letter, such as ${example}`;
  const pattern = toNamePattern(length);
  return z
    .string(rule)
    .regex(pattern, rule)
    .refine((text) => !reserved.has(text), 'another name: this one is reserved');
}

function port(example: number) {
  const rule = `a port: a whole number from 1 to 65535, such as ${example}`;
  return z.int(rule).min(1, rule).max(65_535, rule);
}

/** A path as it is written in a file; `-` at its start would be read as a flag by a program it is given to. */
function path(rule: string) {
  return z
    .string(rule)
    .min(1, rule)
    .max(4096, rule)
    .refine(
      (text) => !/^[~$-]/.test(text),
      'a path without ~, $ or - at its start: nothing is replaced in it',
    )
    .refine((text) => !/\p{Cc}/u.test(text), 'a path without control characters');
}

/** A path that stays below the folder it is relative to, as far as can be told without looking. */
function pathBelow(rule: string) {
  return path(rule).refine((text) => !isAbsolute(text) && !/^\.\.(\/|$)/.test(normalize(text)), rule);
}

/** Helm's limit for a release, which is named as its service. */
const serviceName = name(53, 'auth-service');

/** kind appends -control-plane, and the node's name has 63 characters at most. */
const clusterName = name(clusterNameLength, 'wealist');

const contextRule = 'the name of a kube context, without spaces, such as wealist-dev';

const workers = z
  .array(z.enum(workerTypes, 'app or db'), 'a list of app and db, such as [app, db]')
  .max(8, 'at most 8 nodes');

const needs = z
  .array(
    z.string('the name of a service, or postgres, redis, s3'),
    'a list of names, such as [postgres, redis]',
  )
  .default([])
  .describe(
    'Services and infrastructure (postgres, redis, s3) that must be ready before this service is deployed.',
  );

const containerFolder = 'a folder in the container, such as /app';

const Live = z.strictObject(
  {
    from: pathBelow('a folder, such as services/auth-service').describe(
      'Folder whose files go straight into the running container; relative to this checkout, or to `source`.',
    ),
    to: path(containerFolder)
      .refine((text) => isAbsolute(text) && posix.normalize(text) === text && text !== '/', containerFolder)
      .refine((text) => !text.endsWith('/'), containerFolder)
      .describe(
        'Where they are in the container. It becomes a volume that starts with what the image has there.',
      ),
    build: z
      .enum(['source', 'stand-in'], 'source or stand-in')
      .default('source')
      .describe('What the service has to be built from for this to hold.'),
  },
  'the keys from, to, build',
);
export type Live = z.infer<typeof Live>;

export const Service = z.strictObject(
  {
    port: port(8080).describe(
      'The port it listens on and its Service offers. Each service has its own. By default as in helm/charts/wealist-common/values.yaml, as are route and needs.',
    ),
    route: name(63, 'auth')
      .optional()
      .describe('Its public path: /svc/<route>/…. The one service without it answers at /.'),
    needs,
    standIn: pathBelow('a folder of this checkout, such as services/auth-service').describe(
      'Folder of the stand-in, relative to this checkout; by default services/<name>.',
    ),
    dockerfile: pathBelow('a file of the source, such as services/auth-service/Dockerfile')
      .optional()
      .describe('Its Dockerfile, relative to `source`; by default services/<name>/docker/Dockerfile.'),
    context: pathBelow('a folder of the source, such as services/auth-service')
      .optional()
      .describe(
        'Build context of the Dockerfile, relative to `source`; by default all of it. Written wherever `dockerfile` is.',
      ),
    build: z
      .enum(['auto', 'source', 'stand-in'], 'auto, source or stand-in')
      .default('auto')
      .describe(
        'auto: from the source where it has the Dockerfile, else the stand-in. source: it must have it.',
      ),
    live: z
      .array(Live, 'a list of folders: [{ from, to }]')
      .default([])
      .describe(
        'What `reload --watch` puts into the running container, in place of a build and a new pod; by default the program of the stand-in.',
      ),
  },
  'the keys of a service: port, route, needs, standIn, dockerfile, context, build, live',
);
export type Service = z.infer<typeof Service>;

const quantityRule = 'an amount of memory in MiB or GiB, such as 4Gi';

const NodeType = z.strictObject(
  {
    instance: z
      .string('the name of an instance type, such as t3.medium')
      .regex(/^[a-z0-9][a-z0-9.-]{0,40}$/, 'the name of an instance type, such as t3.medium')
      .describe('What the provider calls it.'),
    count: z
      .int('a number of nodes, such as 2')
      .min(1, 'a number of nodes, such as 2')
      .max(1000, 'a number of nodes, such as 2')
      .describe('How many there are.'),
    cpu: z
      .number('a number of cores, such as 2')
      .positive('a number of cores, such as 2')
      .max(1024, 'a number of cores, such as 2')
      .describe('Cores of each.'),
    memory: z
      .string(quantityRule)
      .regex(/^[1-9][0-9]{0,6}(Mi|Gi)$/, quantityRule)
      .describe('Memory of each.'),
    pods: z
      .int('the most pods of a node, such as 17')
      .min(1, 'the most pods of a node, such as 17')
      .max(1000, 'the most pods of a node, such as 17')
      .default(110)
      .describe(
        'The most pods that each takes; on EKS it follows from the network addresses of the instance.',
      ),
  },
  'the keys of a node type: instance, count, cpu, memory, pods',
);
export type NodeType = z.infer<typeof NodeType>;

/** All that an environment is made of, but for its name: that is the file's. */
const Settings = z.strictObject(
  {
    namespace: name(63, 'wealist-kind-local').describe('The Kubernetes namespace of all services.'),
    cluster: z
      .strictObject(
        {
          name: clusterName.describe('Name of the kind cluster.'),
          httpPort: port(80).describe('Port on 127.0.0.1. When it is taken, the next free pair is chosen.'),
          httpsPort: port(443).describe('Port on 127.0.0.1.'),
          nodes: workers
            .optional()
            .describe(
              'Worker nodes beside the control plane, each by its type, app or db. Without any, one node runs everything.',
            ),
        },
        'the keys of a cluster: name, httpPort, httpsPort, nodes',
      )
      .describe(
        'The kind cluster on this machine. An environment without this key is on a cluster of somebody else, and only read.',
      )
      .optional(),
    context: z
      .string(contextRule)
      .regex(/^[^\s\p{C}-][^\s\p{C}]{0,252}$/u, contextRule)
      .describe(
        'The kube context of a cluster elsewhere. It only finds the cluster: what identifies it is recorded by `npm run env trust`.',
      )
      .optional(),
    nodes: z
      .strictObject({ app: NodeType.optional(), db: NodeType.optional() }, 'the keys of nodes: app, db')
      .describe('The nodes of a cluster elsewhere, by which `npm run plan` tells whether all pods fit.')
      .optional(),
    ingress: z
      .strictObject(
        {
          controller: z
            .enum(['auto', 'nginx', 'traefik'], 'auto, nginx or traefik')
            .describe('auto: ingress-nginx where its image can be pulled, else Traefik.'),
        },
        'the key controller',
      )
      .default({ controller: 'auto' }),
    with: z
      .array(
        z.enum(extraNames, {
          error: ({ input }) => {
            const nearest = typeof input === 'string' ? findNearest(input, extraNames) : undefined;
            return `one of ${extraNames.join(', ')}${nearest === undefined ? '' : `: nearest is ${nearest}`}`;
          },
        }),
        `a list of extras, such as [${extraNames[0]}]`,
      )
      .default([])
      .describe('What is deployed beside the platform; also `up --with`, and `--without` takes away.'),
    argocd: z
      .strictObject(
        {
          services: z
            .array(z.string('the name of a service'), 'a list of services, such as [user-service]')
            .default([])
            .describe('The services that Argo CD syncs into wealist-dev, with what they need; none: all.'),
        },
        'the key services',
      )
      .default({ services: [] })
      .describe('What `up --with argocd` tries out.'),
    source: path('a folder: a checkout of weAlist, such as ../wealist')
      .optional()
      .describe(
        'A checkout of weAlist whose Dockerfiles are built instead of the stand-ins; relative to this checkout.',
      ),
    values: z
      .array(
        pathBelow('a file of this checkout, such as helm/examples/real-services.yaml'),
        'a list of files, such as [helm/examples/real-services.yaml]',
      )
      .optional()
      .describe("Helm values files of this checkout, laid over the environment's own; the last wins."),
    registry: z
      .strictObject(
        {
          mirror: z
            .string('a host with or without a port, such as mirror.example.com:5000')
            .regex(
              /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$/,
              'a host with or without a port, such as mirror.example.com:5000',
            )
            .optional()
            .describe(
              'Asked in place of the public registries; images keep the path of their repository below it.',
            ),
          pull: z
            .enum(['auto', 'never', 'only'], 'auto, never or only')
            .default('auto')
            .describe(
              'auto: pull, else build from packages. never: build without asking a registry. only: never build.',
            ),
        },
        'the keys of a registry: mirror, pull',
      )
      .default({ pull: 'auto' }),
    services: z.record(serviceName, Service, 'a map from names of services to their keys'),
  },
  'the keys of an environment',
);

/** What a file may say. */
export const EnvironmentFile = Settings.extend({
  extends: z
    .string('the name of an environment, such as base')
    .optional()
    .describe('The environment that this file lies over, such as base.'),
});

/** One named set of services and settings, merged and checked: `env/<name>.yaml` over what it extends. */
export type Environment = z.infer<typeof Settings> & { readonly name: string };

/** An environment on this machine, the only kind that is ever written to: `requireWritable` tells. */
export type LocalEnvironment = Environment & { readonly cluster: NonNullable<Environment['cluster']> };
