import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import { quote } from './problems.ts';
import { type Environment, type Infrastructure, infrastructure, type Service } from './schema.ts';

/** Services with their needs, in the order of the environment. */
export interface Selection {
  readonly services: readonly string[];
  readonly infrastructure: readonly Infrastructure[];
}

/**
 * The named services (default: all) with everything that they need, directly or not. Infrastructure can be named, too.
 * @throws {Failure} naming the first unknown name and the nearest known one.
 */
export function selectServices(environment: Environment, names: readonly string[]): Selection {
  const services = Object.keys(environment.services);
  const selected = new Set<string>();
  const waiting = names.length === 0 ? [...services] : names.map((name) => requireName(environment, name));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (selected.has(name)) continue;
    selected.add(name);
    waiting.push(...(environment.services[name]?.needs ?? []));
  }
  return {
    services: services.filter((name) => selected.has(name)),
    infrastructure: infrastructure.filter((name) => selected.has(name)),
  };
}

/**
 * The named services and infrastructure without their needs, each once; by default all of the environment.
 * @throws {Failure} naming the first unknown name and the nearest known one.
 */
export function selectComponents(environment: Environment, names: readonly string[]): readonly string[] {
  if (names.length > 0) return [...new Set(names.map((name) => requireName(environment, name)))];
  const selection = selectServices(environment, []);
  return [...selection.infrastructure, ...selection.services];
}

/**
 * A service of the environment.
 * @throws {Failure} for an unknown name, with the nearest known one.
 */
export function getService(environment: Environment, name: string): Service {
  const service = Object.hasOwn(environment.services, name) ? environment.services[name] : undefined;
  return service ?? refuseName(name, Object.keys(environment.services));
}

function requireName(environment: Environment, name: string): string {
  const known = [...Object.keys(environment.services), ...infrastructure];
  return known.includes(name) ? name : refuseName(name, known);
}

function refuseName(name: string, known: readonly string[]): never {
  const nearest = findNearest(name, known);
  throw new Failure(
    `${quote(name)} is not a service${nearest === undefined ? '' : `, nearest is ${nearest}`}`,
    {
      hint: `services: ${known.join(', ')}`,
      exitCode: exitCodes.usage,
    },
  );
}
