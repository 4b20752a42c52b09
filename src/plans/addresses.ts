import type { Environment } from '../config/schema.ts';
import type { PublicPorts } from '../config/values.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { IngressAddress } from '../steps/wait-for-ingress.ts';
import { type ExtrasChoice, hostsOfExtras } from './extras.ts';

/** The ingress's origin as a browser on this machine uses it. */
export function toOrigin({ httpPort }: Pick<PublicPorts, 'httpPort'>): string {
  return `http://localhost${httpPort === 80 ? '' : `:${httpPort}`}`;
}

/** The same for a host name of its own below the platform's: `prometheus` → http://prometheus.localhost */
export function toHostOrigin(name: string, ports: Pick<PublicPorts, 'httpPort'>): string {
  return toOrigin(ports).replace('://', `://${name}.`);
}

/**
 * Each service's readiness as the ingress shows it, and the page at `/`. The path is that of the deployed readiness probe,
 * which differs between a stand-in and an own program; where the probe is none of HTTP, any response below 500 counts.
 */
export function toAddresses(
  environment: Pick<Environment, 'services' | 'namespace'>,
  services: readonly string[],
  ports: Pick<PublicPorts, 'httpPort'>,
  snapshot: Pick<Snapshot, 'find'>,
): readonly IngressAddress[] {
  const origin = toOrigin(ports);
  return services.map((name) => {
    const route = environment.services[name]?.route;
    if (route === undefined) return { name, url: `${origin}/` };
    const pod = snapshot.find('Deployment', name, environment.namespace)?.spec.template.spec;
    const probe = pod?.containers.find((container) => container.name === name)?.readinessProbe;
    const path = probe ? probe.httpGet?.path : '/health/ready';
    const url = `${origin}/svc/${route}${path ?? '/'}`;
    return path === undefined ? { name, url, acceptsErrors: true } : { name, url };
  });
}

/** The health path of each program of the extras. */
export function toExtraAddresses(
  cluster: ExtrasChoice & Pick<PublicPorts, 'httpPort'>,
): readonly IngressAddress[] {
  return hostsOfExtras(cluster).map(({ name, health }) => {
    return { name, url: `${toHostOrigin(name, cluster)}${health}` };
  });
}
