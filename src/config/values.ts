import { join } from 'node:path';
import type { Environment } from './schema.ts';

export interface ValuesFilesOptions {
  /** Absolute. */
  readonly checkout: string;
  readonly environment: Pick<Environment, 'name' | 'values'>;
  /** Whether the release is of a service that is built from its Dockerfile. */
  readonly fromSource?: boolean;
  /** The file of generated secrets, where the environment has one. */
  readonly secrets?: string | undefined;
  /** The file with values that are only known at run time. */
  readonly generated?: string | undefined;
}

/** What weAlist's own programs need beyond the specification; relative to the checkout. */
export const fromSourceFile = 'helm/from-source.yaml';

/**
 * The values files of every release in Helm's order: the last one wins. Helm itself reads a chart's own values first;
 * passing them again would override the environment's.
 */
export function valuesFiles({
  checkout,
  environment,
  fromSource = false,
  secrets,
  generated,
}: ValuesFilesOptions): readonly string[] {
  const own = listValuesFiles(environment, { fromSource }).map((file) => join(checkout, file));
  return [...own, secrets, generated].filter((file) => file !== undefined);
}

/** Those of them that are in the checkout, relative to it. */
export function listValuesFiles(
  { name, values = [] }: Pick<Environment, 'name' | 'values'>,
  { fromSource = false }: { readonly fromSource?: boolean } = {},
): readonly string[] {
  const folder = 'helm/environments';
  return [
    ...[`${folder}/base.yaml`, `${folder}/${name}.yaml`],
    ...(fromSource ? [fromSourceFile] : []),
    ...values,
  ];
}

export type Controller = 'nginx' | 'traefik';

/** Ports on this machine on which the ingress is reachable. */
export interface PublicPorts {
  readonly httpPort: number;
  readonly httpsPort: number;
}

/** Service → names of what it needs, as in the environment. */
export type Needs = Readonly<Record<string, readonly string[]>>;

/** The needs of every service. */
export function toNeeds({ services }: Pick<Environment, 'services'>): Needs {
  return Object.fromEntries(Object.entries(services).map(([name, { needs }]) => [name, needs]));
}

/**
 * The values of a service's release that are only known at run time, merged over all files. Only what the service uses,
 * so that other changes do not roll it out; the needs of all, since its network policy allows those that need it.
 */
export function toServiceValues(
  name: string,
  reference: string,
  { ports: { httpPort, httpsPort }, needs }: { readonly ports: PublicPorts; readonly needs: Needs },
) {
  return {
    images: { [name]: reference },
    public: { httpPort, httpsPort },
    services: toServices(Object.keys(needs), (service) => ({ needs: needs[service] ?? [] })),
  };
}

export interface InfrastructureChoice {
  /** Image references by component. */
  readonly images: Readonly<Record<string, string>>;
  readonly ports: PublicPorts;
  readonly controller: Controller;
  /** Name of each service and infrastructure component → whether it is deployed. */
  readonly services: Readonly<Record<string, boolean>>;
  readonly infrastructure: Readonly<Record<string, boolean>>;
  readonly needs: Needs;
}

/** The same for the release of the infrastructure, which contains the routes to all services. */
export function toInfrastructureValues(choice: InfrastructureChoice) {
  const { images, ports, controller, services, infrastructure, needs } = choice;
  const { httpPort, httpsPort } = ports;
  return {
    images,
    public: { httpPort, httpsPort },
    ingress: { controller },
    services: toServices(Object.keys(services), (name) => ({
      enabled: services[name] ?? false,
      needs: needs[name] ?? [],
    })),
    infrastructure: toServices(Object.keys(infrastructure), (name) => ({
      enabled: infrastructure[name] ?? false,
    })),
  };
}

/** Values that the Argo CD try-out merges over each chart's files in git; the rest is in argocd/try-out/values.yaml. */
export function toTryOutValues({
  images,
  services,
  infrastructure,
}: Pick<InfrastructureChoice, 'images' | 'services' | 'infrastructure'>) {
  const toEnabled = (deployed: Readonly<Record<string, boolean>>) =>
    toServices(Object.keys(deployed), (name) => ({ enabled: deployed[name] ?? false }));
  return { images, services: toEnabled(services), infrastructure: toEnabled(infrastructure) };
}

function toServices(names: readonly string[], toSettings: (name: string) => object): object {
  return Object.fromEntries(names.map((name) => [name, toSettings(name)]));
}
