import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const repository = join(import.meta.dirname, '..');

/** Where the charts, and so the environments, have the services from. */
export const tableFile = 'helm/charts/wealist-common/values.yaml';

/** What the table says of a service, as far as tests ask. */
export interface TableEntry {
  readonly port: number;
  readonly route?: string;
  readonly paths?: readonly string[];
  readonly needs: readonly string[];
  readonly calls?: readonly string[];
  readonly outside?: readonly number[];
  readonly redisIndex?: number;
  readonly database?: { readonly name: string; readonly role: string };
}

interface Defaults {
  readonly serviceDefaults: { readonly resources: Resources };
  readonly services: Readonly<Record<string, TableEntry>>;
}

interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

const { services, serviceDefaults }: Defaults = parse(readFileSync(join(repository, tableFile), 'utf8'))
  .exports.defaults;

/** The table, read by another way than the program and Helm read it. */
export const serviceTable = services;

/** What a chart's own values say of its resources, over what all services have. */
export function resourcesOf(chart: string): Resources {
  const text = readFileSync(join(repository, `helm/charts/${chart}/values.yaml`), 'utf8');
  const own: Partial<Resources> = parse(text).services[chart]?.resources ?? {};
  return {
    requests: { ...serviceDefaults.resources.requests, ...own.requests },
    limits: { ...serviceDefaults.resources.limits, ...own.limits },
  };
}
