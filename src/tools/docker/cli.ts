import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { exitCodes } from '../../lib/failure.ts';
import type { Exec, ExecResult } from '../exec.ts';
import type { FailureRule, FailureRules } from '../failure-rules.ts';
import type { Docker } from './docker.ts';

/** A container engine that cannot be used, as the docker program prints it; kind prints the same. */
export const engineRules: readonly FailureRule[] = [
  {
    pattern: /permission denied while trying to connect to the Docker daemon socket/i,
    hint: 'sudo usermod -aG docker "$USER", then log in again',
    exitCode: exitCodes.host,
  },
  {
    pattern: /Cannot connect to the Docker daemon|failed to connect to the docker API/,
    hint: 'npm run doctor -- --fix',
    exitCode: exitCodes.host,
  },
  {
    pattern: /client version \S+ is too old/i,
    hint: 'install a docker client of the version of the engine',
    exitCode: exitCodes.host,
  },
  {
    pattern: /no space left on device/,
    hint: 'npm run images -- prune',
    exitCode: exitCodes.host,
  },
];

const dockerFailures: FailureRules = {
  exitCode: exitCodes.host,
  installHint: 'npm run doctor',
  rules: engineRules,
};

/** Programs are run in nodes only: a container that is not running is a cluster that is not. */
const nodeFailures: FailureRules = {
  ...dockerFailures,
  rules: [
    {
      pattern: /container \S+ is not running|No such container|is paused/,
      hint: 'npm run up',
      exitCode: exitCodes.cluster,
    },
    ...engineRules,
  ],
};

/** Actions by the docker program instead of the socket: large streams, and containers for one command. */
export interface DockerCli {
  /** Loads an archive of images; layers the engine has may be missing in it. */
  load(archive: Readable, signal: AbortSignal): Promise<void>;
  /** Runs a program in a running container. */
  exec(
    container: string,
    argv: readonly string[],
    options: { input?: Readable; signal: AbortSignal; onLine?: (line: string) => void },
  ): Promise<ExecResult>;
  /**
   * Runs a program as root in a new container of `image`, which sees a folder of the engine's machine at `mountedAt` and no
   * network. The image must be in the engine.
   */
  run(
    image: string,
    argv: readonly string[],
    options: { folder: string; mountedAt: string; signal: AbortSignal },
  ): Promise<ExecResult>;
  /** Runs a program in a container of `image`, with `input`, and commits what it changed as the image `tag`. */
  runAndCommit(
    image: string,
    argv: readonly string[],
    options: { tag: string; changes: readonly string[]; input: Readable; signal: AbortSignal },
  ): Promise<void>;
}

/** Prefix of the names of containers for one command; the PID of the process that created them follows. */
export const unfinishedPrefix = 'wealist-unfinished-';

/** `env` names the engine (DOCKER_HOST), so that the user's docker context has no effect. */
export function createDockerCli(exec: Exec, { env, watch }: Pick<Docker, 'env' | 'watch'>): DockerCli {
  const docker = (args: readonly string[], options: Parameters<Exec>[2] = {}) =>
    watch(options.signal, (signal) =>
      exec('docker', args, { failures: dockerFailures, ...options, env, signal }),
    );

  return {
    async load(archive, signal) {
      await docker(['load', '--quiet'], { input: archive, signal });
    },

    exec: (container, argv, options) =>
      docker(['exec', ...(options.input ? ['--interactive'] : []), container, ...argv], {
        ...options,
        failures: nodeFailures,
      }),

    run(image, [entrypoint = '', ...args], { folder, mountedAt, signal }) {
      // docker reads this option as CSV, and the folder's name may have a comma.
      const source = `"source=${folder.replaceAll('"', '""')}"`;
      const options = [
        ...['--rm', `--name=${unfinishedPrefix}${process.pid}-${randomUUID()}`, '--pull=never'],
        ...['--user=0', '--userns=host', '--network=none', '--security-opt=label=disable'],
        ...[`--mount=type=bind,${source},target=${mountedAt}`, `--entrypoint=${entrypoint}`],
      ];
      return docker(['run', ...options, image, ...args], { signal });
    },

    async runAndCommit(image, argv, { tag, changes, input, signal }) {
      const [entrypoint = '', ...args] = argv;
      const name = `${unfinishedPrefix}${process.pid}-${randomUUID()}`;
      const options = [`--name=${name}`, '--interactive', '--network=none', `--entrypoint=${entrypoint}`];
      const { stdout } = await docker(['create', ...options, image, ...args], { signal });
      const container = stdout.trim();
      try {
        await docker(['start', '--attach', '--interactive', container], { input, signal });
        const settings = changes.flatMap((change) => ['--change', change]);
        await docker(['commit', ...settings, container, tag], { signal });
      } finally {
        await docker(['rm', '--force', '--volumes', container]);
      }
    },
  };
}
