import { type Finding, toKubectlLine } from './finding.ts';
import { repair } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface Route {
  /** Name of the Service that it routes to. */
  readonly service: string;
  readonly namespace: string;
  /** `/svc/auth`, or `/`. */
  readonly path: string;
}

/** Why no Ingress routes a path to a Service; undefined when one does. */
export function judgeRoute(snapshot: Snapshot, { service, namespace, path }: Route): Finding | undefined {
  const ingresses = snapshot.list('Ingress').filter(({ metadata }) => metadata.namespace === namespace);
  const backends = ingresses.flatMap(({ metadata, spec }) =>
    (spec?.rules ?? [])
      .filter(({ host }) => host === undefined)
      .flatMap(({ http }) => http?.paths ?? [])
      .filter((each) => toPath(each.path) === path)
      .map(({ backend }) => ({ ingress: metadata.name, service: backend.service })),
  );
  const next = toKubectlLine(namespace, 'get', 'ingress');
  const own = backends.find((backend) => backend.service?.name === service);
  if (!own) {
    const [other] = backends;
    const evidence =
      other === undefined
        ? `namespace ${namespace} has ${ingresses.length} Ingresses, none with path ${path}`
        : `Ingress ${other.ingress} routes ${path} to Service ${other.service?.name}`;
    return { state: 'failed', line: 'no Ingress route', evidence, next: repair };
  }
  const wanted = own.service?.port;
  const ports = snapshot.find('Service', service, namespace)?.spec.ports ?? [];
  const hasPort = ports.some(({ name, port }) => port === wanted?.number || (name && name === wanted?.name));
  if (hasPort || ports.length === 0) return undefined;
  return {
    state: 'failed',
    line: `Ingress ${own.ingress} routes to port ${wanted?.number ?? wanted?.name} of Service ${service}, which has port ${ports.map(({ port }) => port).join(', ')}`,
    next,
  };
}

/** Without the groups that ingress-nginx uses to strip the path: `/svc/auth(/|$)(.*)` → `/svc/auth`. */
function toPath(path = '/'): string {
  return path.replace(/\(.*$/, '');
}
