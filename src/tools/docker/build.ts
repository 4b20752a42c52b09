import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import type { Exec } from '../exec.ts';
import type { FailureRules } from '../failure-rules.ts';
import { engineRules } from './cli.ts';

/** The program that builds, and whether it can use BuildKit. */
export interface BuildClient {
  readonly program: string;
  readonly buildKit: boolean;
}

export interface DockerBuild {
  /** Folder of the build context. */
  readonly context: string;
  readonly dockerfile: string;
  /** Name and tag of the image. */
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface BuildOptions {
  /** Names the engine. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

const keptLines = 30;

/** A step that the kernel killed, as BuildKit, the classic builder, the JVM and Go's linker report it. */
const outOfMemory =
  /exit code: 137|returned a non-zero code: 137|signal: killed|cannot allocate memory|Cannot allocate memory|OutOfMemoryError/;

const memoryHint = 'give the container engine more memory, or end other programs, then npm run up';

/** A build that ended because no memory was left. */
export class OutOfMemoryFailure extends Failure {}

/** Whatever the reason, a build that fails is exit code 7: the image cannot be had. */
const buildFailures: FailureRules = {
  exitCode: exitCodes.image,
  installHint: 'npm run doctor',
  rules: engineRules.map((rule) => ({ ...rule, exitCode: exitCodes.image })),
};

/**
 * Builds an image from a Dockerfile.
 * @throws {Failure} exit code 7 with the last lines of the build; the Dockerfile's own step is among them.
 */
export async function buildWithDocker(
  exec: Exec,
  { program, buildKit }: BuildClient,
  { context, dockerfile, image, labels = {} }: DockerBuild,
  { env, signal, report }: BuildOptions,
): Promise<void> {
  const last: string[] = [];
  const args = [
    'build',
    ...(buildKit ? ['--progress=plain'] : []),
    `--file=${dockerfile}`,
    `--tag=${image}`,
    ...Object.entries(labels).map(([key, value]) => `--label=${key}=${value}`),
    '--',
    context,
  ];
  try {
    await exec(program, args, {
      env: { ...env, DOCKER_BUILDKIT: buildKit ? '1' : '0' },
      signal,
      failures: buildFailures,
      onLine(line) {
        report(line);
        last.push(line);
        if (last.length > keptLines) last.shift();
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailure)) throw error;
    const cause = last.join('\n') || error;
    const isKilled = typeof cause === 'string' && outOfMemory.test(cause);
    const Kind = isKilled ? OutOfMemoryFailure : Failure;
    throw new Kind(`${image} was not built from ${dockerfile}`, {
      cause,
      hint: error.hint ?? (isKilled ? memoryHint : error.argv.join(' ')),
      exitCode: error.exitCode,
    });
  }
}
