import type { Environment } from '../config/schema.ts';
import type { PublicPorts } from '../config/values.ts';
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

/** Each service's readiness as the ingress shows it, and the page at `/`. */
export function toAddresses(
  environment: Environment,
  services: readonly string[],
  ports: Pick<PublicPorts, 'httpPort'>,
): readonly IngressAddress[] {
  const origin = toOrigin(ports);
  return services.map((name) => {
    const route = environment.services[name]?.route;
    return { name, url: route === undefined ? `${origin}/` : `${origin}/svc/${route}/health/ready` };
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
