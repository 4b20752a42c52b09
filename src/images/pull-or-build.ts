import type { CatalogEntry } from '../config/catalog.ts';
import type { Environment } from '../config/schema.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { PullFailure } from '../tools/registry/pull.ts';

export interface PullOrBuildOptions<T> {
  readonly name: string;
  readonly entry: CatalogEntry;
  /** The environment's setting for pulls. */
  readonly allowed: Environment['registry']['pull'];
  pull(): Promise<T>;
  build(): Promise<T>;
  /** Minutes that a build usually takes. */
  minutes(): Promise<number>;
}

/** Pulls an image, or builds it and reports why. @throws {Failure} with both reasons when neither is possible. */
export async function pullOrBuild<T>(run: Run, options: PullOrBuildOptions<T>): Promise<T> {
  const { name, entry, allowed } = options;
  const pulled =
    allowed === 'never' ? new Failure('registry.pull is never') : await tryToPull(() => options.pull());
  if (!(pulled instanceof Failure)) return pulled.value;
  if (!entry.build) throw toFailure(name, pulled, 'no recipe exists to build it');
  if (allowed === 'only') throw toFailure(name, pulled, 'registry.pull is only');

  run.report(`${describe(pulled)}: building from packages, about ${await options.minutes()} min`);
  try {
    return await options.build();
  } catch (error) {
    run.signal.throwIfAborted();
    // Any other error is a bug and keeps its stack.
    throw error instanceof Failure ? toFailure(name, pulled, error) : error;
  }
}

async function tryToPull<T>(pull: () => Promise<T>): Promise<{ readonly value: T } | PullFailure> {
  try {
    return { value: await pull() };
  } catch (error) {
    // A build would need space on the same disk.
    if (error instanceof PullFailure && error.problem !== 'disk') return error;
    throw error;
  }
}

/** The failure with the innermost part of its cause: `registry docker.io cannot be reached for … (no such host)`. */
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
