import { type Finding, toKubectlLine } from './finding.ts';
import { repair } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface Route {
  /** Of the Service that it leads to. */
  readonly service: string;
  readonly namespace: string;
  /** `/svc/auth`, or `/`. */
  readonly path: string;
}

/** Why no Ingress leads from a path to a Service; undefined when one does. */
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
        ? `namespace ${namespace} has ${ingresses.length} Ingresses, none of them for ${path}`
        : `Ingress ${other.ingress} leads from ${path} to ${other.service?.name}`;
    return { state: 'failed', line: 'no Ingress leads to it', evidence, next: repair };
  }
  const wanted = own.service?.port;
  const ports = snapshot.find('Service', service, namespace)?.spec.ports ?? [];
  const isThere = ports.some(({ name, port }) => port === wanted?.number || (name && name === wanted?.name));
  if (isThere || ports.length === 0) return undefined;
  return {
    state: 'failed',
    line: `Ingress ${own.ingress} leads to port ${wanted?.number ?? wanted?.name} of ${service}, which has ${ports.map(({ port }) => port).join(', ')}`,
    next,
  };
}

/** Without what ingress-nginx needs for a path that is taken away: `/svc/auth(/|$)(.*)`. */
function toPath(path = '/'): string {
  return path.replace(/\(.*$/, '');
}
