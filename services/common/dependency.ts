import { describeError } from './describe-error.ts';
import { HttpError } from './http-error.ts';

/**
 * An external system that a service uses. It connects on first use and reconnects after an outage; connection errors
 * never end the process.
 */
export interface Dependency {
  readonly name: string;
  /** A service is ready only while its stores are up; other services may be down. */
  readonly kind: 'store' | 'service';
  /** Makes one round trip. Rejects when the dependency is unavailable or `signal` is aborted. */
  probe(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type Dependencies = Readonly<Record<string, Dependency>>;

/** Runs `use` and converts its errors to a 503 that names the dependency. */
export async function usingDependency<T>(name: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw new HttpError(503, `${name} is unavailable: ${describeError(error)}`);
  }
}
