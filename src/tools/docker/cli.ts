import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { exitCodes } from '../../lib/failure.ts';
import type { Exec, ExecResult } from '../exec.ts';
import type { FailureRule, FailureRules } from '../failure-rules.ts';

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

/** Containers in which programs are run are nodes: one that does not run is a cluster that does not. */
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

/** What goes through the docker program rather than the socket: large streams, and containers of one command. */
export interface DockerCli {
  /** Loads an archive of images; layers the engine has may be missing in it. */
  load(archive: Readable, signal: AbortSignal): Promise<void>;
  /** Runs a program in a running container. */
  exec(
    container: string,
    argv: readonly string[],
    options: { input?: Readable; signal: AbortSignal; onLine?: (line: string) => void },
  ): Promise<ExecResult>;
  /** Runs a program in a container of `image`, with `input`, and keeps what it changed as the image `tag`. */
  runAndCommit(
    image: string,
    argv: readonly string[],
    options: { tag: string; changes: readonly string[]; input: Readable; signal: AbortSignal },
  ): Promise<void>;
}

/** Begins the names of containers that live for one command, before the PID of who made them. */
export const unfinishedPrefix = 'wealist-unfinished-';

/** `env` names the engine (DOCKER_HOST), so that no other context is followed. */
export function createDockerCli(exec: Exec, env: Readonly<Record<string, string>>): DockerCli {
  const docker = (args: readonly string[], options: Parameters<Exec>[2] = {}) =>
    exec('docker', args, { failures: dockerFailures, ...options, env });

  return {
    async load(archive, signal) {
      await docker(['load', '--quiet'], { input: archive, signal });
    },

    exec: (container, argv, options) =>
      docker(['exec', ...(options.input ? ['--interactive'] : []), container, ...argv], {
        ...options,
        failures: nodeFailures,
      }),

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
