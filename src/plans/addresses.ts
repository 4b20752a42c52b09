import type { Environment } from '../config/schema.ts';
import type { PublicPorts } from '../config/values.ts';
import type { Answer } from '../steps/answered.ts';

/** Where this machine's browser finds the ingress. */
export function toOrigin({ httpPort }: Pick<PublicPorts, 'httpPort'>): string {
  return `http://localhost${httpPort === 80 ? '' : `:${httpPort}`}`;
}

/** Each service's readiness as the ingress shows it, and the page at `/`. */
export function toAddresses(
  environment: Environment,
  services: readonly string[],
  ports: Pick<PublicPorts, 'httpPort'>,
): readonly Answer[] {
  const origin = toOrigin(ports);
  return services.map((name) => {
    const route = environment.services[name]?.route;
    return { name, url: route === undefined ? `${origin}/` : `${origin}/svc/${route}/health/ready` };
  });
}
