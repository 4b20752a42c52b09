import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { BuildSettings } from '../../../src/config/build-settings.ts';
import { createEngineBuild, type EngineBuildDeps } from '../../../src/images/build/engine-build.ts';
import { CommandFailure, Failure } from '../../../src/lib/failure.ts';
import type { BuildClient } from '../../../src/tools/docker/build.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

interface Build {
  readonly args: readonly string[];
  /** The Dockerfile that the builder was given, and the ignore file beside it. */
  readonly dockerfile: string;
  readonly ignoreFile: string | undefined;
}

/** An engine that builds Dockerfiles, and a folder with one. */
async function makeWorld(
  text: string,
  {
    settings = {},
    client = { program: 'docker', buildKit: true },
    ...deps
  }: Partial<EngineBuildDeps> & { readonly settings?: BuildSettings; readonly client?: BuildClient } = {},
) {
  const root = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  await write('Dockerfile', text);
  const builds: Build[] = [];
  const lines: string[] = [];
  /** Names of the engine's images, with the label of those built here. */
  const images = new Map<string, Record<string, string>>();
  const world = {
    ...{ root, write, builds, lines, images },
    /** What the builder prints when it fails. */
    fails: (_: Build): string | undefined => undefined,
    registries: [] as string[],
  };
  const run = { signal: new AbortController().signal, report: (line: string) => void lines.push(line) };
  const engine = createEngineBuild({
    docker: {
      env: { DOCKER_HOST: 'unix:///engine' },
      watch: (signal, work) => work(signal ?? run.signal),
      findImage: async (name) => {
        const labels = images.get(name);
        return labels && ({ id: name, labels } as never);
      },
    },
    findClient: async () => client,
    canPull: async (registry) => {
      world.registries.push(registry);
      return false;
    },
    queue: (build) => build(),
    noCache: false,
    async exec(_program, args, options) {
      const path = args.find((arg) => arg.startsWith('--file='))?.slice('--file='.length) ?? '';
      const beside = `${path}.dockerignore`;
      const build = {
        args,
        dockerfile: await readFile(path, 'utf8'),
        ignoreFile: existsSync(beside) ? await readFile(beside, 'utf8') : undefined,
      };
      builds.push(build);
      const problem = world.fails(build);
      if (problem !== undefined) {
        for (const line of problem.split('\n')) options?.onLine?.(line);
        throw new CommandFailure('docker failed', { argv: ['docker'], status: 1, stdout: '', stderr: '' });
      }
      const labels = args.filter((arg) => arg.startsWith('--label=')).map((arg) => arg.split('=').slice(1));
      images.set(args.find((arg) => arg.startsWith('--tag='))?.slice('--tag='.length) ?? '', {
        ...Object.fromEntries(labels),
      });
      return { stdout: '', stderr: '' };
    },
    ...deps,
  });
  const source = { root, dockerfile: 'Dockerfile', context: '.', live: [], settings };
  return Object.assign(world, { engine, source, run, build: () => engine.build('board:1', source, run) });
}

const modern = '# syntax=docker/dockerfile:1.4\n# escape=`\n\nFROM scratch\nCOPY --link a /\n';

describe('the front end that a Dockerfile names', () => {
  test('is the built-in one where it cannot be had, which is said, and lines keep their numbers', async () => {
    const { build, write, builds, lines, registries } = await makeWorld(modern);
    await write('.dockerignore', '*.log\n');
    await build();
    expect(builds).toMatchObject([
      { dockerfile: '# escape=`\n#\n\nFROM scratch\nCOPY --link a /\n', ignoreFile: '*.log\n' },
    ]);
    expect(registries).toEqual(['docker.io']);
    expect(lines).toEqual([
      "docker/dockerfile:1.4 of line 1 cannot be pulled: the engine's own front end reads the Dockerfile",
    ]);
    const copy = builds[0]?.args.find((arg) => arg.startsWith('--file='))?.slice('--file='.length) ?? '';
    expect(existsSync(dirname(copy))).toBe(false);
  });

  test('is asked for once in a run', async () => {
    const { build, registries } = await makeWorld(modern);
    await build();
    await build();
    expect(registries).toEqual(['docker.io']);
  });

  test.each<[string, string, Partial<EngineBuildDeps> & { client?: BuildClient }]>([
    ['when the registry responds', modern, { canPull: async () => true }],
    ['where the builder has no front ends', modern, { client: { program: 'docker', buildKit: false } }],
    ['when it reads another language', '# syntax=example.com/buildpack:1\n', {}],
    ['when there is none', 'FROM scratch\n', {}],
  ])('is left to the builder %s', async (_, text, deps) => {
    const { build, builds, lines } = await makeWorld(text, deps);
    await build();
    expect(builds).toMatchObject([{ dockerfile: text }]);
    expect(lines).toEqual([]);
  });

  test('is left to the builder when the engine has its image', async () => {
    const { build, builds, images } = await makeWorld(modern);
    images.set('docker/dockerfile:1.4', {});
    await build();
    expect(builds).toMatchObject([{ dockerfile: modern }]);
  });

  test.each([
    'failed to solve with frontend gateway.v0: failed to do request: lookup registry: no such host',
    'ERROR: failed to solve: docker/dockerfile:1.4: failed to resolve source metadata for docker.io/docker/dockerfile:1.4',
  ])('that fails to be pulled is replaced: %s', async (problem) => {
    const world = await makeWorld(modern, { canPull: async () => true });
    world.fails = ({ dockerfile }) =>
      dockerfile === modern
        ? `#2 resolve image config for docker.io/docker/dockerfile:1.4\n${problem}`
        : undefined;
    await world.build();
    await world.build();
    expect(world.builds.map(({ dockerfile }) => dockerfile === modern)).toEqual([true, false, false]);
  });

  test('does not hide another failure', async () => {
    const world = await makeWorld(modern, { canPull: async () => true });
    world.fails = () =>
      '#2 resolve image config for docker.io/docker/dockerfile:1.4 DONE\nCOPY failed: no such file';
    await expect(world.build()).rejects.toMatchObject({ cause: expect.stringContaining('COPY failed') });
    expect(world.builds).toHaveLength(1);
  });

  test('and what the built-in one cannot read are named with the line', async () => {
    const world = await makeWorld(modern);
    world.fails = () =>
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 5: Unknown flag: link';
    await expect(world.build()).rejects.toMatchObject({
      message: `${join(world.root, 'Dockerfile')}:5 needs docker/dockerfile:1.4, which no registry answers for: the engine's own front end reads it as Unknown flag: link`,
      hint: 'docker pull docker/dockerfile:1.4 where a registry answers, or write line 5 without it',
      exitCode: 7,
    });
  });
});

describe('build settings', () => {
  test('are flags of docker, with absolute paths and without the values of secrets', async () => {
    vi.stubEnv('NPM_TOKEN', 'very-secret');
    const { build, builds, root, write } = await makeWorld('FROM scratch\n', {
      noCache: true,
      settings: {
        target: 'production',
        args: { VERSION: '1 2', EMPTY: '' },
        secrets: { npmrc: { file: 'a,b.txt' }, token: { env: 'NPM_TOKEN' } },
        ssh: ['default'],
        contexts: { shared: '../shared', base: 'docker-image://alpine:3' },
        platform: 'linux/arm64',
      },
    });
    await write('a,b.txt', 'secret too');
    await build();
    expect(builds[0]?.args.slice(4, -2)).toEqual([
      ...['--target=production', '--build-arg=VERSION=1 2', '--build-arg=EMPTY='],
      ...[
        `--secret=id=npmrc,"src=${join(root, 'a,b.txt')}"`,
        '--secret=id=token,env=NPM_TOKEN',
        '--ssh=default',
      ],
      ...[
        `--build-context=shared=${join(root, '../shared')}`,
        '--build-context=base=docker-image://alpine:3',
      ],
      ...['--platform=linux/arm64', '--no-cache'],
    ]);
    expect(JSON.stringify(builds)).not.toContain('very-secret');
    vi.unstubAllEnvs();
  });

  test.each<[string, BuildSettings, string]>([
    ['file', { secrets: { a: { file: 'none' } } }, 'secret a of the build: /'],
    [
      'variable',
      { secrets: { a: { env: 'NOT_SET_HERE' } } },
      'secret a of the build: the environment variable',
    ],
  ])('a secret without its %s is refused', async (_, settings, message) => {
    const { build, builds } = await makeWorld('FROM scratch\n', { settings });
    await expect(build()).rejects.toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
    expect(builds).toEqual([]);
  });

  test('that only BuildKit knows are refused where no client has it', async () => {
    const client = { program: 'docker', buildKit: false };
    const { build, builds } = await makeWorld('FROM scratch\n', { client, settings: { ssh: ['default'] } });
    await expect(build()).rejects.toMatchObject({ hint: 'npm run doctor -- --fix', exitCode: 3 });
    expect(builds).toEqual([]);
  });
});

describe('base images that are built here', () => {
  const state = (hash: string) => ({ hash }) as never;

  test('are built in order, and again only from another source', async () => {
    const { engine, source, run, builds, lines } = await makeWorld('FROM scratch\n');
    const bases = ['local/base:1', 'local/go:1'].map((reference) => ({
      reference,
      source,
      state: state('one'),
    }));
    await Promise.all([engine.ensureBases(bases, run), engine.ensureBases(bases, run)]);
    const tags = () => builds.map(({ args }) => args.find((arg) => arg.startsWith('--tag=')));
    expect(tags()).toEqual(['--tag=local/base:1', '--tag=local/go:1']);
    expect(lines).toEqual(['building local/base:1 from Dockerfile', 'building local/go:1 from Dockerfile']);
    await engine.ensureBases([{ reference: 'local/go:1', source, state: state('two') }], run);
    expect(tags()).toHaveLength(3);
  });

  test('are in the engine after another run', async () => {
    const { engine, source, run, builds, images } = await makeWorld('FROM scratch\n');
    images.set('local/base:1', { 'wealist.local/source': 'one' });
    await engine.ensureBases([{ reference: 'local/base:1', source, state: state('one') }], run);
    expect(builds).toEqual([]);
  });

  test('that fail are tried again by the next build', async () => {
    const world = await makeWorld('FROM scratch\n');
    const { engine, source, run } = world;
    const bases = [{ reference: 'local/base:1', source, state: state('one') }];
    world.fails = () => 'no';
    await expect(engine.ensureBases(bases, run)).rejects.toBeInstanceOf(Failure);
    world.fails = () => undefined;
    await engine.ensureBases(bases, run);
    expect(world.builds).toHaveLength(2);
  });
});
