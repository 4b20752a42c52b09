import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, posix, resolve } from 'node:path';
import { type HostBuild, toWords } from '../../config/host-build.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hash } from '../../lib/hash.ts';
import { toNamedPaths } from '../../lib/ignore-rules.ts';
import type { Image, Layer } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import type { Exec } from '../../tools/exec.ts';
import type { FailureRules } from '../../tools/failure-rules.ts';
import type { DockerfileSource } from '../source/dockerfile-source.ts';
import { readContext } from '../source/read-context.ts';
import type { OwnBase } from '../source/with-bases.ts';
import { folderEntries, type LayerEntry, packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { addLayer } from './volumes.ts';

export interface HostBuildDeps {
  readonly exec: Exec;
  readonly store: Store;
  readonly architecture: string;
  readonly findImageId: (reference: string) => Promise<string | undefined>;
  /** Whether the Dockerfile is built although its last stage has not changed; once in this run. */
  readonly rebuild: boolean;
}

export interface HostBuildOptions {
  readonly name: string;
  readonly source: DockerfileSource;
  readonly host: HostBuild;
  readonly bases: readonly OwnBase[];
  /** Builds the whole Dockerfile in the engine. */
  readonly buildDockerfile: () => Promise<Image>;
}

const commandFailures: FailureRules = {
  exitCode: exitCodes.image,
  installHint: 'install it, or set build: source for this service in env/local.yaml',
  rules: [],
};

/**
 * Builds services by a command on this machine, with the caches that the command has here. What it makes is one layer
 * over the image of the Dockerfile, which is built again only when its last stage changes.
 */
export function createHostBuild(deps: HostBuildDeps) {
  const { exec, store, architecture, findImageId, rebuild } = deps;
  const rebuilt = new Set<string>();

  /** @throws {Failure} exit code 7 when the command fails, or does not make a file that it should. */
  async function build(options: HostBuildOptions, run: Run): Promise<Image> {
    // The Dockerfile may copy what the command makes, so the command comes first.
    const layer = await makeLayer(options, run);
    return addLayer(await ensureBelow(options, run), layer, 'wealist-local: built on the host');
  }

  async function ensureBelow(
    { name, source, bases, buildDockerfile }: HostBuildOptions,
    run: Run,
  ): Promise<Image> {
    const { hash: own, inputs } = await readContext(source, { architecture, ownStageOnly: true });
    const ids = inputs.images.map(async (reference) => {
      const base = bases.find((each) => each.reference === reference);
      return [reference, base?.state.hash ?? (await findImageId(reference))] as const;
    });
    const key = `hostbase-${name}-${hash({ own, images: await Promise.all(ids), architecture })}`;
    const isForced = rebuild && !rebuilt.has(key);
    const known = isForced ? undefined : await store.findImage(key);
    if (known) return known;
    run.report(`building the last stage of ${source.dockerfile} once`);
    const image = await buildDockerfile();
    await store.putImage(key, image);
    rebuilt.add(key);
    return image;
  }

  async function makeLayer({ name, source, host }: HostBuildOptions, run: Run): Promise<Layer> {
    const out = await mkdtemp(join(tmpdir(), 'wealist-out-'));
    try {
      const toPath = (text: string) => text.replaceAll('{out}', out);
      const folder = join(source.root, host.in);
      const [program = '', ...args] = toWords(host.run).map(toPath);
      await exec(program.includes('/') ? resolve(folder, program) : program, args, {
        cwd: folder,
        env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: architecture, ...host.env },
        signal: run.signal,
        onLine: run.report,
        failures: commandFailures,
      });
      const entries = await Promise.all(
        host.files.map(async ({ from, to }) =>
          toEntries(await findMade(resolve(folder, toPath(from)), name), to),
        ),
      );
      return await store.putBlob(packLayer(entries.flat(), { hasParents: false }));
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  }

  return { build };
}

/** The one file or folder of this name, in which `*` may stand for a part of it. */
async function findMade(path: string, name: string): Promise<string> {
  const pattern = toNamedPaths([basename(path)]);
  const names = await readdir(dirname(path)).catch(() => []);
  const found = names.filter((each) => pattern.names(each));
  if (found.length === 1) return join(dirname(path), found[0] ?? '');
  const problem = found.length === 0 ? 'made nothing at' : `made ${found.sort().join(', ')}: several match`;
  throw new Failure(`the command of services.${name}.host ${problem} ${path}`, {
    hint: `change services.${name}.host.files in env/local.yaml`,
    exitCode: exitCodes.image,
  });
}

/** A folder hides the one below it, so that files of an earlier build do not stay. */
async function toEntries(made: string, to: string): Promise<readonly LayerEntry[]> {
  const target = to.slice(1);
  const { mode, isFolder } = await stat(made).then((found) => ({
    mode: found.mode,
    isFolder: found.isDirectory(),
  }));
  if (!isFolder) return [{ path: target, mode: mode & 0o111 ? 0o755 : 0o644, file: made }];
  return [
    { path: posix.join(target, '.wh..wh..opq'), mode: 0o600, content: '' },
    ...(await folderEntries(made, target)),
  ];
}
