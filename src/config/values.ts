import { join } from 'node:path';
import type { Environment } from './schema.ts';

export interface ValuesFilesOptions {
  /** Absolute. */
  readonly checkout: string;
  readonly environment: Pick<Environment, 'name'>;
  /** The file of generated secrets, where the environment has one. */
  readonly secrets?: string | undefined;
  /** The file that holds `toGeneratedValues`. */
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

export interface GeneratedValues {
  /** Image references by the charts' names for them. */
  readonly images: Readonly<Record<string, string>>;
  /** Ports on this machine that the ingress answers on. */
  readonly public: { readonly httpPort: number; readonly httpsPort: number };
  readonly ingress: { readonly controller: 'nginx' | 'traefik' };
  readonly services: Readonly<Record<string, { readonly enabled: boolean }>>;
}

export interface GeneratedValuesOptions {
  readonly images: Readonly<Record<string, string>>;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly controller: GeneratedValues['ingress']['controller'];
  /** Each service of the environment: whether it is deployed. */
  readonly services: Readonly<Record<string, boolean>>;
}

/** What only a run knows, for the last values file. */
export function toGeneratedValues(options: GeneratedValuesOptions): GeneratedValues {
  const { images, httpPort, httpsPort, controller, services } = options;
  return {
    images,
    public: { httpPort, httpsPort },
    ingress: { controller },
    services: Object.fromEntries(Object.entries(services).map(([name, enabled]) => [name, { enabled }])),
  };
}
