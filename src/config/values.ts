import { join } from 'node:path';
import type { Environment } from './schema.ts';

export interface ValuesFilesOptions {
  /** Absolute. */
  readonly checkout: string;
  readonly environment: Pick<Environment, 'name'>;
  /** The file of generated secrets, where the environment has one. */
  readonly secrets?: string | undefined;
  /** The file with what only a run knows. */
  readonly generated?: string | undefined;
}

/**
 * The values files of every release in Helm's order, the last wins; the only place that knows it.
 * A chart's own values come before them by themselves: passing them again would undo the environment's.
 */
export function valuesFiles({
  checkout,
  environment,
  secrets,
  generated,
}: ValuesFilesOptions): readonly string[] {
  const folder = join(checkout, 'helm/environments');
  const files = [join(folder, 'base.yaml'), join(folder, `${environment.name}.yaml`), secrets, generated];
  return files.filter((file) => file !== undefined);
}

export type Controller = 'nginx' | 'traefik';

/** Ports on this machine that the ingress answers on. */
export interface PublicPorts {
  readonly httpPort: number;
  readonly httpsPort: number;
}

export interface BuiltService {
  readonly reference: string;
  readonly isStandIn: boolean;
}

/** What only a run knows of a service's release, over all files: no more than reaches it, so that nothing else rolls it. */
export function toServiceValues(
  name: string,
  { reference, isStandIn }: BuiltService,
  { httpPort, httpsPort }: PublicPorts,
) {
  return {
    images: { [name]: reference },
    public: { httpPort, httpsPort },
    // The default command is the stand-ins' start; what has a Dockerfile of its own says there how it starts.
    ...(isStandIn ? {} : { serviceDefaults: { command: [] } }),
  };
}

export interface InfrastructureChoice {
  /** Image references by component. */
  readonly images: Readonly<Record<string, string>>;
  readonly ports: PublicPorts;
  readonly controller: Controller;
  /** Each service, and each part of the infrastructure: whether it is deployed. */
  readonly services: Readonly<Record<string, boolean>>;
  readonly infrastructure: Readonly<Record<string, boolean>>;
}

/** The same for the release of the infrastructure, which has the routes to all services. */
export function toInfrastructureValues(choice: InfrastructureChoice) {
  const { images, ports, controller, services, infrastructure } = choice;
  const { httpPort, httpsPort } = ports;
  return {
    images,
    public: { httpPort, httpsPort },
    ingress: { controller },
    services: toEnabled(services),
    infrastructure: toEnabled(infrastructure),
  };
}

function toEnabled(deployed: Readonly<Record<string, boolean>>): object {
  return Object.fromEntries(Object.entries(deployed).map(([name, enabled]) => [name, { enabled }]));
}
