import type { Environment, Infrastructure } from '../../config/schema.ts';
import { selectComponents } from '../../config/services.ts';
import type { Workload } from '../../diagnosis/pods.ts';
import type { Protocol } from '../../forward/error-response.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Pod } from '../../tools/kubernetes/objects.ts';

/** What can be forwarded, and how it is used. */
export interface ForwardTarget {
  /** As it is shown. */
  readonly name: string;
  /** The service or store whose pods are meant. */
  readonly component: string;
  /** The workload behind it. */
  readonly workload: Workload;
  readonly protocol: Protocol;
  /** Container port. */
  readonly port: number;
  /** Port on this machine, if it is free. */
  readonly wantedPort: number;
  /** Makes the port of a pod respond, before each connection to it. */
  readonly prepare?: (pod: Pod, signal: AbortSignal) => Promise<void>;
  /** A command or URL that works when pasted, for the local port. */
  readonly toUsage: (localPort: number, namespace: string) => string;
}

/** Lower ports need root; the frontend's is replaced by this one. */
const lowest = 1_024;
const frontendPort = 3_000;
const lowPortOffset = 10_000;

interface Store {
  readonly protocol: Protocol;
  readonly port: number;
  readonly toUsage: ForwardTarget['toUsage'];
}

/** The command itself reads passwords from the cluster, so that they appear in no output and no shell history. */
const stores: Readonly<Record<Infrastructure, Store>> = {
  postgres: {
    protocol: 'postgres',
    port: 5432,
    toUsage: (port, namespace) =>
      `PGPASSWORD=${toSecret('DB_PASSWORD', namespace)} psql -h 127.0.0.1 -p ${port} -U postgres`,
  },
  redis: {
    protocol: 'redis',
    port: 6379,
    toUsage: (port, namespace) =>
      `REDISCLI_AUTH=${toSecret('REDIS_PASSWORD', namespace)} redis-cli -h 127.0.0.1 -p ${port}`,
  },
  s3: {
    protocol: 'http',
    port: 7070,
    toUsage: (port, namespace) =>
      [
        `AWS_ACCESS_KEY_ID=${toSecret('S3_ACCESS_KEY', namespace)}`,
        `AWS_SECRET_ACCESS_KEY=${toSecret('S3_SECRET_KEY', namespace)}`,
        `AWS_DEFAULT_REGION=${toSetting('S3_REGION', namespace)}`,
        `aws --endpoint-url http://127.0.0.1:${port} s3 ls`,
      ].join(' '),
  },
};

/**
 * How to forward what a word of the command line names: a service or store, or one further port of its pods, such as a
 * debugger's: `auth-service:5005`. @throws {Failure} exit code 2 for an unknown name or an impossible port.
 */
export function parseForwardTarget(environment: Environment, word: string): ForwardTarget {
  const [name = '', text] = word.split(':', 2);
  const [component = name] = selectComponents(environment, [name]);
  const target = toForwardTarget(environment, component);
  if (text === undefined) return target;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new Failure(`${word} names no port: expected a number from 1 to 65535 after the colon`, {
      hint: `npm run forward ${component}:5005`,
      exitCode: exitCodes.usage,
    });
  }
  if (port === target.port) return target;
  return {
    ...target,
    name: `${component}:${port}`,
    component,
    protocol: 'tcp',
    port,
    wantedPort: port < lowest ? port + lowPortOffset : port,
    toUsage: (localPort) => `127.0.0.1:${localPort}`,
  };
}

/** How to forward a service or store of the environment. */
export function toForwardTarget(environment: Environment, name: string): ForwardTarget {
  const service = environment.services[name];
  const workload = toWorkload(environment, name);
  if (!service) {
    const { port, ...store } = stores[name as Infrastructure];
    return { ...store, name, component: name, workload, port, wantedPort: port };
  }
  return {
    name,
    component: name,
    workload,
    protocol: 'http',
    port: service.port,
    wantedPort: service.port < lowest ? frontendPort : service.port,
    toUsage: (port) => `http://127.0.0.1:${port}/`,
  };
}

function toSecret(key: string, namespace: string): string {
  return ask(namespace, `secret wealist-shared-secret -o go-template='{{.data.${key} | base64decode}}'`);
}

function toSetting(key: string, namespace: string): string {
  return ask(namespace, `configmap wealist-shared-config -o go-template='{{.data.${key}}}'`);
}

function ask(namespace: string, what: string): string {
  return `"$(npm run -s kubectl -- -n ${namespace} get ${what})"`;
}

/** The workload of a service or data store. */
export function toWorkload({ services, namespace }: Environment, name: string): Workload {
  return { kind: Object.hasOwn(services, name) ? 'Deployment' : 'StatefulSet', name, namespace };
}
