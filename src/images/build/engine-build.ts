import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Run } from '../../plan/plan.ts';
import { type BuildClient, buildWithDocker, type DockerBuild } from '../../tools/docker/build.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { Exec } from '../../tools/exec.ts';
import { isDockerfileFrontEnd, parseDockerfile } from '../source/dockerfile.ts';
import type { DockerfileSource } from '../source/dockerfile-source.ts';
import type { OwnBase } from '../source/with-bases.ts';
import type { BuildQueue } from './build-queue.ts';
import { type FrontEnd, isFrontEndFailure, registryOf, withBuiltInFrontEnd } from './front-end.ts';

/** Builds Dockerfiles in the engine. */
export interface EngineBuild {
  /** Builds an image under this name. @throws {Failure} exit code 7 when it does not build. */
  build(image: string, source: DockerfileSource, run: Run): Promise<void>;
  /** Builds base images, the first one first, unless the engine has them from the same source. */
  ensureBases(bases: readonly OwnBase[], run: Run): Promise<void>;
}

export interface EngineBuildDeps {
  readonly exec: Exec;
  readonly docker: Pick<Docker, 'env' | 'findImage' | 'watch'>;
  readonly findClient: () => Promise<BuildClient | undefined>;
  /** Whether the registry of this host responds. */
  readonly canPull: (registry: string, signal: AbortSignal) => Promise<boolean>;
  readonly queue: BuildQueue;
  /** Whether every step of a build runs again. */
  readonly noCache: boolean;
}

/** Label of a base image that was built here: the hash of its source. */
const sourceLabel = 'wealist.local/source';

export function createEngineBuild(deps: EngineBuildDeps): EngineBuild {
  const { exec, docker, findClient, canPull, queue, noCache } = deps;
  /** Whether a front end can be had, by its image. */
  const available = new Map<string, Promise<boolean>>();
  /** Bases that this run builds or has built, by name. */
  const built = new Map<string, Promise<void>>();

  async function build(
    image: string,
    source: DockerfileSource,
    run: Run,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const client = await findClient();
    if (!client) {
      throw new Failure('no docker client that can build Dockerfiles is installed', {
        hint: 'npm run doctor -- --fix',
        exitCode: exitCodes.host,
      });
    }
    const flags = await toFlags(source);
    const runBuild = (dockerfile: string) =>
      queue(
        () =>
          docker.watch(run.signal, (signal) =>
            buildWithDocker(
              exec,
              client,
              { ...flags, dockerfile, image, labels, noCache, context: join(source.root, source.context) },
              { env: docker.env, signal, report: run.report },
            ),
          ),
        run,
      );
    const dockerfile = join(source.root, source.dockerfile);
    const text = await readFile(dockerfile, 'utf8');
    const frontEnd = parseDockerfile(text).syntax;
    // The builder before BuildKit has no front ends, and only Dockerfiles have one built in.
    if (!client.buildKit || !frontEnd || !isDockerfileFrontEnd(frontEnd.image)) {
      return runBuild(dockerfile);
    }
    const useBuiltIn = async () => {
      run.report(
        `${frontEnd.image} of line ${frontEnd.line} cannot be pulled: the engine's own front end reads the Dockerfile`,
      );
      await withBuiltInFrontEnd(source, { text, frontEnd }, runBuild);
    };
    if (!(await isAvailable(frontEnd, run.signal))) return useBuiltIn();
    try {
      await runBuild(dockerfile);
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isFrontEndFailure(error, frontEnd)) throw error;
      available.set(frontEnd.image, Promise.resolve(false));
      await useBuiltIn();
    }
  }

  function isAvailable({ image }: FrontEnd, signal: AbortSignal): Promise<boolean> {
    const known =
      available.get(image) ??
      docker
        .findImage(image, { signal })
        .then((found) => found !== undefined || canPull(registryOf(image), signal));
    available.set(image, known);
    return known;
  }

  async function ensureBase({ reference, source, state }: OwnBase, run: Run): Promise<void> {
    const found = noCache ? undefined : await docker.findImage(reference, { signal: run.signal });
    if (found?.labels[sourceLabel] === state.hash) return;
    run.report(`building ${reference} from ${source.dockerfile}`);
    await build(reference, source, run, { [sourceLabel]: state.hash });
  }

  return {
    build: (image, source, run) => build(image, source, run),
    async ensureBases(bases, run) {
      for (const base of bases) {
        const key = `${base.reference} ${base.state.hash}`;
        const ensured = built.get(key) ?? ensureBase(base, run);
        built.set(key, ensured);
        // The next build tries again.
        await ensured.catch((error) => {
          built.delete(key);
          throw error;
        });
      }
    },
  };
}

/** The build settings as docker takes them, with absolute paths. @throws {Failure} exit code 2 for a secret that is missing. */
async function toFlags({ root, settings }: DockerfileSource): Promise<Partial<DockerBuild>> {
  const { secrets, contexts } = settings;
  const found = Object.entries(secrets ?? {}).map(async ([id, secret]) => {
    if ('env' in secret) {
      if (process.env[secret.env] === undefined)
        throw missingSecret(id, `the environment variable ${secret.env} is not set`);
      return [id, secret] as const;
    }
    const file = resolve(root, secret.file);
    const exists = await stat(file).then(
      (stats) => stats.isFile(),
      () => false,
    );
    if (!exists) throw missingSecret(id, `${file} is no file`);
    return [id, { file }] as const;
  });
  const folders = Object.entries(contexts ?? {}).map(([name, place]) => {
    return [name, /^[a-z-]+:\/\//.test(place) ? place : resolve(root, place)] as const;
  });
  return {
    ...settings,
    secrets: secrets && Object.fromEntries(await Promise.all(found)),
    contexts: contexts && Object.fromEntries(folders),
  };
}

function missingSecret(id: string, problem: string): Failure {
  return new Failure(`secret ${id} of the build: ${problem}`, {
    hint: 'set it, or change secrets in env/local.yaml',
    exitCode: exitCodes.usage,
  });
}
