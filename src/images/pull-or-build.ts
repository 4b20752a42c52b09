import type { CatalogEntry } from '../config/catalog.ts';
import type { Environment } from '../config/schema.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { PullFailure } from '../tools/registry/pull.ts';

export interface PullOrBuildOptions<T> {
  readonly name: string;
  readonly entry: CatalogEntry;
  /** What the environment allows. */
  readonly allowed: Environment['registry']['pull'];
  pull(): Promise<T>;
  build(): Promise<T>;
  /** How long building takes. */
  minutes(): Promise<number>;
}

/** Pulls, else builds, saying why and what comes next. @throws {Failure} that says why neither went. */
export async function pullOrBuild<T>(run: Run, options: PullOrBuildOptions<T>): Promise<T> {
  const { name, entry, allowed } = options;
  const pulled =
    allowed === 'never' ? new Failure('registry.pull is never') : await tryToPull(() => options.pull());
  if (!(pulled instanceof Failure)) return pulled.value;
  if (!entry.build) throw toFailure(name, pulled, 'it has no recipe to be built by');
  if (allowed === 'only') throw toFailure(name, pulled, 'registry.pull is only');

  run.report(`${describe(pulled)}: building from packages, about ${await options.minutes()} min`);
  try {
    return await options.build();
  } catch (error) {
    run.signal.throwIfAborted();
    // What is no Failure is a bug, and says where.
    throw error instanceof Failure ? toFailure(name, pulled, error) : error;
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

function toFailure(name: string, pull: Failure, build: Failure | string): Failure {
  const { hint, exitCode } = build instanceof Failure ? build : pull;
  return new Failure(`image ${name} can be neither pulled nor built: ${describe(pull)}`, {
    cause: build,
    hint: hint ?? pull.hint,
    exitCode: pull instanceof PullFailure || build instanceof Failure ? exitCode : exitCodes.image,
  });
}
