import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { type SecretKey, type SecretRule, secretKeys, secretRules } from '../lib/secret-rules.ts';
import { hideSecrets } from '../lib/secret-values.ts';
import { isMissing, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

export interface SecretsOptions {
  readonly paths: Pick<Paths, 'state' | 'data'>;
  /** Name of the cluster. */
  readonly cluster: string;
  /** Name of the environment. */
  readonly environment: string;
  /** The user's own secrets, which override generated ones key by key. */
  readonly own: Readonly<Record<string, string>>;
}

export interface Secrets {
  readonly values: Readonly<Record<SecretKey, string>> & Readonly<Record<string, string>>;
  /** The values file for Helm that holds them, mode 0600. */
  readonly file: string;
}

/**
 * The secrets of a cluster. Generated ones are stored beside the data that was written with them, since both outlive
 * the cluster and the checkout. Existing ones are never replaced; those that a newer version needs are added.
 * @throws {Failure} when the stored ones cannot be read: the data could not be read with new ones.
 */
export async function ensureSecrets(options: SecretsOptions): Promise<Secrets> {
  const store = toStore(options);
  const stored = await readStored(store);
  const missing = secretKeys.filter((key) => stored[key] === undefined);
  const generated = { ...stored, ...Object.fromEntries(missing.map((key) => [key, generate(key)])) };
  if (missing.length > 0) await writeFileAtomically(store, toText(generated));

  const secrets = merge(generated, options);
  const text = toText(secrets.values);
  if ((await readIfExists(secrets.file)) !== text) await writeFileAtomically(secrets.file, text);
  return secrets;
}

/** The secrets, when `ensureSecrets` would change nothing; else undefined. */
export async function findSecrets(options: SecretsOptions): Promise<Secrets | undefined> {
  const stored = await readStored(toStore(options));
  if (secretKeys.some((key) => stored[key] === undefined)) return undefined;
  const secrets = merge(stored, options);
  return (await readIfExists(secrets.file)) === toText(secrets.values) ? secrets : undefined;
}

function toStore({ paths, cluster }: SecretsOptions): string {
  return join(paths.data, cluster, 'secrets.yaml');
}

function merge(
  generated: Readonly<Record<string, string>>,
  { paths, environment, own }: SecretsOptions,
): Secrets {
  const values = { ...generated, ...own } as Secrets['values'];
  const confidential = Object.entries(values).filter(([key, value]) => value !== findRule(key)?.initial);
  hideSecrets(confidential.map(([, value]) => value));
  return { values, file: join(paths.state, 'secrets', `${environment}.yaml`) };
}

/** Hexadecimal, so that a value needs no quoting in an address, a YAML file or a shell. */
function generate(key: SecretKey): string {
  const { minBytes, initial }: SecretRule = secretRules[key];
  return initial ?? randomBytes(Math.max(16, minBytes)).toString('hex');
}

function findRule(key: string): SecretRule | undefined {
  return Object.hasOwn(secretRules, key) ? secretRules[key as SecretKey] : undefined;
}

/** JSON is valid YAML. */
function toText(secrets: Readonly<Record<string, string>>): string {
  return `${JSON.stringify({ shared: { secrets } }, undefined, 2)}\n`;
}

async function readStored(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readIfExists(path);
  if (text === undefined) return {};
  try {
    const { secrets } = JSON.parse(text).shared;
    const entries = Object.entries<unknown>(secrets);
    if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
      return Object.fromEntries(entries);
    }
  } catch {
    // Reported below; the parser's message could quote a secret.
  }
  throw new Failure(`${path} is damaged, and the data of the cluster can be read only with its secrets`, {
    hint: `restore the file, or give up the data: npm run down -- --delete-data`,
    exitCode: exitCodes.usage,
  });
}

async function readIfExists(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}
