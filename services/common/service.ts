import type { Dependencies } from './dependency.ts';
import type { Log } from './log.ts';
import type { Route } from './route.ts';
import type { Settings } from './settings.ts';

export interface Context<D extends Dependencies> {
  readonly dependencies: D;
  readonly settings: Settings;
  readonly log: Log;
  /** Aborted when the service is asked to end: what stays open by itself must close then. */
  readonly stopping: AbortSignal;
}

/**
 * What one service is. `connect` says what it stands on, `routes` what it does: the connections belong to the process,
 * so that the routes of another version of the module can take over while it runs.
 */
export interface ServiceDefinition<D extends Dependencies> {
  readonly name: string;
  /** Path of its description, `/` by default. */
  readonly describedAt?: string;
  connect(settings: Settings): D;
  routes(context: Context<D>): readonly Route[];
}

/** Only gives the definition its type. */
export const defineService = <D extends Dependencies>(definition: ServiceDefinition<D>) => definition;
