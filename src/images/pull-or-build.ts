import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../lib/plan.ts';
import { PullFailure } from '../tools/docker-pull.ts';

/** One way to an image, or why it is closed. */
export type Way<T> = (() => Promise<T>) | { readonly closed: string };

export interface Ways<T> {
  readonly name: string;
  readonly pull: Way<T>;
  readonly build: Way<T>;
  /** How long building takes. */
  readonly minutes: () => Promise<number>;
}

/** Pulls, else builds, saying why and what comes next. @throws {Failure} that says why neither went. */
export async function pullOrBuild<T>(run: Run, ways: Ways<T>): Promise<T> {
  const { pull, build } = ways;
  const pulled = typeof pull === 'function' ? await tryToPull(pull) : new Failure(pull.closed);
  if (!(pulled instanceof Failure)) return pulled.value;
  if (typeof build !== 'function') throw toFailure(ways.name, pulled, new Failure(build.closed));

  run.report(`${describe(pulled)}: building from packages, about ${await ways.minutes()} min`);
  try {
    return await build();
  } catch (error) {
    run.signal.throwIfAborted();
    // What is no Failure is a bug, and says where.
    throw error instanceof Failure ? toFailure(ways.name, pulled, error) : error;
  }
}

async function tryToPull<T>(pull: () => Promise<T>): Promise<{ readonly value: T } | PullFailure> {
  try {
    return { value: await pull() };
  } catch (error) {
    // A build would want that disk's space, too.
    if (error instanceof PullFailure && error.problem !== 'disk') return error;
    throw error;
  }
}

/** The failure with what its cause comes down to: `registry docker.io cannot be reached for … (no such host)`. */
function describe({ message, cause }: Failure): string {
  const detail = cause instanceof Error ? cause.message.split(': ').at(-1) : undefined;
  return detail ? `${message} (${detail})` : message;
}

function toFailure(name: string, pull: Failure, build: Failure): Failure {
  const isClosed = build.cause === undefined && build.hint === undefined;
  return new Failure(`image ${name} can be neither pulled nor built: ${describe(pull)}`, {
    cause: isClosed ? build.message : build,
    hint: build.hint ?? pull.hint,
    exitCode: isClosed ? exitCodes.image : build.exitCode,
  });
}
