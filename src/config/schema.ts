import { isAbsolute, posix } from 'node:path';
import { z } from 'zod';
import { clusterNameLength, toNamePattern } from '../lib/name-pattern.ts';
import { findNearest } from '../lib/nearest.ts';
import { Bases, buildKeys } from './build-settings.ts';
import { extraNames } from './extras.ts';
import { HostBuild } from './host-build.ts';
import { path, pathBelow } from './path-rules.ts';

/*
 * The message of each rule completes "got X, expected …"; the descriptions are what editors show.
 */

/** Data stores of the platform; a service's `needs` may name these beside other services. */
export const infrastructure = ['postgres', 'redis', 's3'] as const;
export type Infrastructure = (typeof infrastructure)[number];

/** Types of worker nodes, as in the platform's node groups: for services, or for data stores. */
export const workerTypes = ['app', 'db'] as const;
export type WorkerType = (typeof workerTypes)[number];

/** Valid names that already have a meaning in JavaScript, in Kubernetes or in our charts. */
const reserved = new Set<string>([
  ...infrastructure,
  ...['constructor', 'prototype', 'default', 'kubernetes'],
  ...['kube-system', 'kube-public', 'kube-node-lease', 'ingress-nginx', 'local-path-storage'],
  ...['metrics', 'monitoring', 'argocd'],
  ...['wealist-common', 'wealist-infrastructure'],
]);

/** A DNS label of at most `length` characters that begins with a letter, as Kubernetes requires for names of Services. */
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

const thenRule = 'restart, or a command such as { exec: [nginx, -s, reload] }';

const Live = z.strictObject(
  {
    from: pathBelow('a folder, such as services/auth-service').describe(
      'Folder whose files are copied into the running container; relative to this checkout, or to `source`.',
    ),
    to: path(containerFolder)
      .refine((text) => isAbsolute(text) && posix.normalize(text) === text && text !== '/', containerFolder)
      .refine((text) => !text.endsWith('/'), containerFolder)
      .describe(
        'Folder in the container. It becomes a volume that is initialised with the content of the image.',
      ),
    build: z
      .enum(['source', 'stand-in'], 'source or stand-in')
      .default('source')
      .describe('Applies only if the service is built from this.'),
    then: z
      .union(
        [
          z.literal('restart', thenRule),
          z.strictObject(
            { exec: z.array(z.string(thenRule).min(1, thenRule), thenRule).min(1, thenRule) },
            thenRule,
          ),
        ],
        thenRule,
      )
      .optional()
      .describe(
        'What follows a change in a running container. restart: its program is restarted, for which the image needs /bin/sh. exec: this command is run in the container.',
      ),
  },
  'the keys from, to, build, then',
);
export type Live = z.infer<typeof Live>;

export const Service = z.strictObject(
  {
    port: port(8080).describe(
      'Container port and port of its Service, different for each service. Default, as for route and needs: the table in helm/charts/wealist-common/values.yaml.',
    ),
    route: name(63, 'auth')
      .optional()
      .describe('Its public path: /svc/<route>/…. The one service without a route is served at /.'),
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
        'Build context of the Dockerfile, relative to `source`; default: all of it. Set it together with `dockerfile`.',
      ),
    ...buildKeys,
    build: z
      .enum(['auto', 'source', 'host', 'stand-in'], 'auto, source, host or stand-in')
      .default('auto')
      .describe(
        'auto: from `source` if the Dockerfile exists there, else the stand-in. source: the Dockerfile must exist. host: by the command of `host`, over the last stage of the Dockerfile.',
      ),
    host: HostBuild.optional().describe('The command of `build: host`.'),
    live: z
      .array(Live, 'a list of folders: [{ from, to }]')
      .default([])
      .describe(
        'Folders that `reload --watch` copies into the running container instead of building an image; default: the program of the stand-in.',
      ),
  },
  'the keys of a service: port, route, needs, standIn, dockerfile, context, target, args, secrets, ssh, contexts, platform, build, host, live',
);
export type Service = z.infer<typeof Service>;

const quantityRule = 'an amount of memory in MiB or GiB, such as 4Gi';

const NodeType = z.strictObject(
  {
    instance: z
      .string('the name of an instance type, such as t3.medium')
      .regex(/^[a-z0-9][a-z0-9.-]{0,40}$/, 'the name of an instance type, such as t3.medium')
      .describe('Name at the cloud provider.'),
    count: z
      .int('a number of nodes, such as 2')
      .min(1, 'a number of nodes, such as 2')
      .max(1000, 'a number of nodes, such as 2')
      .describe('Number of nodes.'),
    cpu: z
      .number('a number of cores, such as 2')
      .positive('a number of cores, such as 2')
      .max(1024, 'a number of cores, such as 2')
      .describe('CPU cores per node.'),
    memory: z
      .string(quantityRule)
      .regex(/^[1-9][0-9]{0,6}(Mi|Gi)$/, quantityRule)
      .describe('Memory per node.'),
    pods: z
      .int('the maximum of pods per node, such as 17')
      .min(1, 'the maximum of pods per node, such as 17')
      .max(1000, 'the maximum of pods per node, such as 17')
      .default(110)
      .describe('Maximum of pods per node; on EKS it depends on the network addresses of the instance type.'),
  },
  'the keys of a node type: instance, count, cpu, memory, pods',
);
export type NodeType = z.infer<typeof NodeType>;

/** Everything in an environment except its name, which is the file's. */
const Settings = z.strictObject(
  {
    namespace: name(63, 'wealist-kind-local').describe('The Kubernetes namespace of all services.'),
    cluster: z
      .strictObject(
        {
          name: clusterName.describe('Name of the kind cluster.'),
          httpPort: port(80).describe('Port on 127.0.0.1. If it is in use, the next free pair is chosen.'),
          httpsPort: port(443).describe('Port on 127.0.0.1.'),
          nodes: workers
            .optional()
            .describe(
              'Types of the worker nodes, app or db. Without any, the control plane node runs everything.',
            ),
        },
        'the keys of a cluster: name, httpPort, httpsPort, nodes',
      )
      .describe('The kind cluster on this machine. An environment without this key is remote, read-only.')
      .optional(),
    context: z
      .string(contextRule)
      .regex(/^[^\s\p{C}-][^\s\p{C}]{0,252}$/u, contextRule)
      .describe(
        'The kube context of a remote cluster. The cluster itself is identified by the fingerprint that `npm run env trust` records.',
      )
      .optional(),
    nodes: z
      .strictObject({ app: NodeType.optional(), db: NodeType.optional() }, 'the keys of nodes: app, db')
      .describe('The nodes of a remote cluster; `npm run plan` checks whether all pods fit.')
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
      .describe('Extras to deploy beside the platform; also `up --with` and `up --without`.'),
    argocd: z
      .strictObject(
        {
          services: z
            .array(z.string('the name of a service'), 'a list of services, such as [user-service]')
            .default([])
            .describe('The services that Argo CD syncs into wealist-dev, with their needs; default: all.'),
        },
        'the key services',
      )
      .default({ services: [] })
      .describe('Options of `up --with argocd`.'),
    source: path('a folder: a checkout of weAlist, such as ../wealist')
      .optional()
      .describe(
        'A checkout of weAlist whose Dockerfiles are built instead of the stand-ins; relative to this checkout.',
      ),
    bases: Bases.optional().describe(
      'Base images of `source` that are built here, by the name that FROM gives them. A Dockerfile docker/base/<name>/Dockerfile needs no entry.',
    ),
    values: z
      .array(
        pathBelow('a file of this checkout, such as helm/own.yaml'),
        'a list of files, such as [helm/own.yaml]',
      )
      .optional()
      .describe(
        "Helm values files of this checkout; they override the environment's own, and the last one wins.",
      ),
    buildCache: z
      .string(quantityRule)
      .regex(/^[1-9][0-9]{0,6}(Mi|Gi)$/, quantityRule)
      .default('20Gi')
      .describe(
        "What BuildKit's cache in the container engine may hold after a build here; the least recently used parts are removed.",
      ),
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
              'Host that is used instead of the public registries; the repository paths of images stay the same.',
            ),
          pull: z
            .enum(['auto', 'never', 'only'], 'auto, never or only')
            .default('auto')
            .describe('auto: pull, else build from packages. never: do not pull. only: do not build.'),
        },
        'the keys of a registry: mirror, pull',
      )
      .default({ pull: 'auto' }),
    services: z.record(serviceName, Service, 'a map from names of services to their keys'),
  },
  'the keys of an environment',
);

/** The content of a file. */
export const EnvironmentFile = Settings.extend({
  extends: z
    .string('the name of an environment, such as base')
    .optional()
    .describe('The environment that this file overrides, such as base.'),
});

/** One named set of services and settings, merged from `env/<name>.yaml` and the files that it extends, and checked. */
export type Environment = z.infer<typeof Settings> & { readonly name: string };

/** An environment on this machine, the only kind that is ever written to; see `requireWritable`. */
export type LocalEnvironment = Environment & { readonly cluster: NonNullable<Environment['cluster']> };
