import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

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

export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

const { services, serviceDefaults }: Defaults = parse(
  readFileSync(join(import.meta.dirname, '..', tableFile), 'utf8'),
).exports.defaults;

/** The table, read by another way than the program and Helm read it. */
export const serviceTable = services;
export const defaultResources = serviceDefaults.resources;
