import { describeError } from './describe-error.ts';
import { HttpError } from './http-error.ts';

/**
 * Something outside that a service talks to. It connects on first use, connects again after an outage, and none of
 * its errors reaches the process.
 */
export interface Dependency {
  readonly name: string;
  /** A service is not ready without its stores; the services that it calls may come and go. */
  readonly kind: 'store' | 'service';
  /** One real round trip. Rejects with the reason when it is not usable, and once `signal` is aborted. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type Dependencies = Readonly<Record<string, Dependency>>;

/** Runs `use` and turns what it throws into a 503 that names the dependency. */
export async function usingDependency<T>(name: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw new HttpError(503, `${name} is not usable: ${describeError(error)}`);
  }
}
