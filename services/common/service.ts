import type { Dependencies } from './dependency.ts';
import type { Log } from './log.ts';
import type { Route } from './route.ts';
import type { Settings } from './settings.ts';

export interface Context<D extends Dependencies> {
  readonly dependencies: D;
  readonly settings: Settings;
  readonly log: Log;
  /** Aborted on shutdown: streams and WebSockets must close then. */
  readonly stopping: AbortSignal;
}

/**
 * The definition of a service. `connect` creates its dependencies, which belong to the process; `routes` creates its
 * routes, which another version of the module can replace while the process runs.
 */
export interface ServiceDefinition<D extends Dependencies> {
  readonly name: string;
  /** Path of the service's description; default `/`. */
  readonly descriptionPath?: string;
  connect(settings: Settings): D;
  routes(context: Context<D>): readonly Route[];
}

/** Returns the definition unchanged; infers its type. */
export const defineService = <D extends Dependencies>(definition: ServiceDefinition<D>) => definition;
