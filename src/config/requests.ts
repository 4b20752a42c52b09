import { parseQuantity } from '../lib/quantity.ts';
import { ConfigFailure, quote } from './problems.ts';
import { readServiceSettings, type ServiceSettingsOptions, textAt } from './service-settings.ts';
import type { Selection } from './services.ts';
import { type MapTree, placeOf } from './tree.ts';
import type { Controller } from './values.ts';

/** What pods request: cores, and bytes of memory. */
export interface Requests {
  readonly cpus: number;
  readonly memory: number;
}

export interface RequestsOptions extends ServiceSettingsOptions {
  readonly selection: Selection;
  readonly controller: Controller;
}

/**
 * The sum of the requests of all pods of a selection and of its ingress controller, from the values in Helm's order.
 * A missing request counts as 0.
 * @throws {ConfigFailure} when a values file cannot be read, or a request is not a quantity.
 */
export async function sumRequests(options: RequestsOptions): Promise<Requests> {
  const { selection, controller } = options;
  const settings = await readServiceSettings(options);
  const service = (name: string) => {
    const own = settings.of(name);
    const [replicas, minReplicas] = [['replicas'], ['autoscaling', 'minReplicas']].map((path) =>
      Number(textAt(own, path) ?? 1),
    );
    const isScaled = textAt(own, ['autoscaling', 'enabled']) === 'true';
    return multiply(requestsAt(own, ['resources']), (isScaled ? minReplicas : replicas) ?? 1);
  };
  const ingress = {
    traefik: ['ingress', 'traefik', 'resources'],
    nginx: ['controller', 'resources'],
  };
  const all = [
    ...selection.services.map(service),
    ...selection.infrastructure.map((name) =>
      requestsAt(settings.values, ['infrastructure', name, 'resources']),
    ),
    requestsAt(settings.values, ingress[controller]),
  ];
  return all.reduce((sum, each) => ({ cpus: sum.cpus + each.cpus, memory: sum.memory + each.memory }));
}

/**
 * What one pod of each service requests, from the values in Helm's order.
 * @throws {ConfigFailure} as `sumRequests`.
 */
export async function readServiceRequests(
  options: Omit<RequestsOptions, 'controller'>,
): Promise<ReadonlyMap<string, Requests>> {
  const settings = await readServiceSettings(options);
  return new Map(
    options.selection.services.map((name) => [name, requestsAt(settings.of(name), ['resources'])]),
  );
}

function requestsAt(tree: MapTree, path: readonly string[]): Requests {
  const amount = (resource: string) => {
    const place = [...path, 'requests', resource];
    const text = textAt(tree, place);
    if (text === undefined) return 0;
    try {
      return parseQuantity(text);
    } catch {
      const problem = `got ${quote(text)}, expected a quantity, such as 100m or 64Mi`;
      throw new ConfigFailure([{ place: placeOf(tree, place), path: place, text: problem }]);
    }
  };
  return { cpus: amount('cpu'), memory: amount('memory') };
}

function multiply({ cpus, memory }: Requests, count: number): Requests {
  return { cpus: cpus * count, memory: memory * count };
}
