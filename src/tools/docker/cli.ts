import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Exec, ExecResult } from '../exec.ts';

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
  /**
   * Runs a program as root in a new container of `image`, which sees a folder of the engine's machine at `mountedAt` and no
   * network. The image must be in the engine.
   */
  run(
    image: string,
    argv: readonly string[],
    options: { folder: string; mountedAt: string; signal: AbortSignal },
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
    exec('docker', args, { ...options, env });

  return {
    async load(archive, signal) {
      await docker(['load', '--quiet'], { input: archive, signal });
    },

    exec: (container, argv, options) =>
      docker(['exec', ...(options.input ? ['--interactive'] : []), container, ...argv], options),

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
