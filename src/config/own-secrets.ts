import { findNearest } from '../lib/nearest.ts';
import { type SecretRule, secretKeys, secretRules } from '../lib/secret-rules.ts';
import { hideSecrets } from '../lib/secret-values.ts';
import { parse } from './parse.ts';
import { ConfigFailure, type Path, type Place, type Problem } from './problems.ts';
import { readText } from './read-text.ts';
import type { MapEntry, MapTree, Tree } from './tree.ts';

/**
 * The user's own secrets for an environment, from `helm/environments/<name>-secrets.yaml`, which git ignores; empty
 * without that file. Messages never contain a value.
 * @throws {ConfigFailure} with all problems.
 */
export async function loadOwnSecrets(
  checkout: string,
  environment: string,
): Promise<Readonly<Record<string, string>>> {
  const file = `helm/environments/${environment}-secrets.yaml`;
  const text = await readText(checkout, file);
  if (text === undefined) return {};

  const problems: Problem[] = [];
  const shared = findOnly(parse(text, file, { isSecret: true }), 'shared', [], problems);
  const secrets = shared && findOnly(shared, 'secrets', ['shared'], problems);
  const values = [...(secrets?.entries ?? [])].flatMap(([key, entry]) => {
    const problem = findProblem(key, entry);
    if (problem) problems.push({ ...problem, path: ['shared', 'secrets', key] });
    return [[key, toText(entry.value) ?? ''] as const];
  });
  hideSecrets(values.map(([, value]) => value));
  if (problems.length > 0) throw new ConfigFailure(problems);
  return Object.fromEntries(values);
}

/** The map under the only allowed key; undefined when the key is missing. */
function findOnly(tree: MapTree, only: string, above: Path, problems: Problem[]): MapTree | undefined {
  for (const [key, { place }] of tree.entries) {
    if (key !== only)
      problems.push({ place, path: [...above, key], text: `got an unknown key, expected ${only}` });
  }
  const found = tree.entries.get(only)?.value;
  if (!found || found.kind === 'map') return found;
  problems.push({
    place: found.place,
    path: [...above, only],
    text: `got a ${found.kind}, expected keys with values`,
  });
  return undefined;
}

function findProblem(key: string, { place, value }: MapEntry): { place: Place; text: string } | undefined {
  const known = Object.hasOwn(secretRules, key);
  const nearest = known ? undefined : findNearest(key, secretKeys);
  if (nearest !== undefined) return { place, text: `got an unknown key, nearest is ${nearest}` };
  if (!/^[A-Z][A-Z0-9_]*$/.test(key)) return { place, text: 'expected a name of A-Z, 0-9 and _' };

  const text = toText(value);
  if (text === undefined) return { place: value.place, text: 'expected a text: put the value in quotes' };
  const { minBytes }: SecretRule = known ? secretRules[key as keyof typeof secretRules] : { minBytes: 0 };
  const bytes = Buffer.byteLength(text);
  if (bytes < minBytes)
    return { place: value.place, text: `got ${bytes} bytes, expected at least ${minBytes}` };
  return undefined;
}

function toText(tree: Tree): string | undefined {
  return tree.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
}
