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
  readonly target?: string | undefined;
  readonly args?: Readonly<Record<string, string>> | undefined;
  /** By ID: an absolute path, or the name of an environment variable. The program reads them itself. */
  readonly secrets?:
    | Readonly<Record<string, { readonly file: string } | { readonly env: string }>>
    | undefined;
  readonly ssh?: readonly string[] | undefined;
  /** By name: an absolute path, or a URL. */
  readonly contexts?: Readonly<Record<string, string>> | undefined;
  readonly platform?: string | undefined;
  /** Whether every step runs again. */
  readonly noCache?: boolean | undefined;
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
  rules: [
    ...engineRules.map((rule) => ({ ...rule, exitCode: exitCodes.image })),
    {
      pattern: /unknown flag: --build-context/,
      hint: 'install docker buildx 0.8 or later, which has additional contexts',
      exitCode: exitCodes.image,
    },
  ],
};

/**
 * Builds an image from a Dockerfile.
 * @throws {Failure} exit code 7 with the last lines of the build; the Dockerfile's own step is among them.
 */
export async function buildWithDocker(
  exec: Exec,
  { program, buildKit }: BuildClient,
  build: DockerBuild,
  { env, signal, report }: BuildOptions,
): Promise<void> {
  const { dockerfile, image } = build;
  if (!buildKit) requireNoBuildKit(build);
  const last: string[] = [];
  const args = ['build', ...(buildKit ? ['--progress=plain'] : []), ...toFlags(build), '--', build.context];
  try {
    await exec(program, args, {
      // The image must be in the engine, so another builder that the user has chosen for buildx is not used.
      env: { ...env, DOCKER_BUILDKIT: buildKit ? '1' : '0', BUILDX_BUILDER: 'default' },
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

function toFlags(build: DockerBuild): readonly string[] {
  const { dockerfile, image, labels, target, args, secrets, ssh = [], contexts, platform, noCache } = build;
  const pairs = (flag: string, values: Readonly<Record<string, string>> = {}) =>
    Object.entries(values).map(([key, value]) => `--${flag}=${key}=${value}`);
  return [
    `--file=${dockerfile}`,
    `--tag=${image}`,
    ...pairs('label', labels),
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...pairs('build-arg', args),
    ...Object.entries(secrets ?? {}).map(([id, secret]) => `--secret=id=${id},${toSecretSource(secret)}`),
    ...ssh.map((each) => `--ssh=${each}`),
    ...pairs('build-context', contexts),
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    ...(noCache ? ['--no-cache'] : []),
  ];
}

/** docker reads this option as CSV, and a file's name may have a comma. */
function toSecretSource(secret: { readonly file: string } | { readonly env: string }): string {
  return 'env' in secret ? `env=${secret.env}` : `"src=${secret.file.replaceAll('"', '""')}"`;
}

/** @throws {Failure} exit code 3 for what Docker could not do before BuildKit. */
function requireNoBuildKit({ image, secrets, ssh, contexts }: DockerBuild): void {
  const found = Object.entries({ secrets, ssh, contexts }).find(([, value]) => value !== undefined);
  if (!found) return;
  throw new Failure(`${image} has ${found[0]}, which need BuildKit, and no docker client here has it`, {
    hint: 'npm run doctor -- --fix',
    exitCode: exitCodes.host,
  });
}
