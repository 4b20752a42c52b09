import { createReadStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hash, hashFolder } from '../../lib/hash.ts';
import { type ContainerConfig, type Image, type Layer, toImageConfig } from '../../lib/oci.ts';
import type { Platform } from '../../lib/platform.ts';
import type { SerialQueue } from '../../lib/serial-queue.ts';
import type { Stopwatch } from '../../lib/stopwatch.ts';
import type { Run } from '../../plan/plan.ts';
import type { Debian, DebianRoot } from '../../tools/debian.ts';
import type { Go, GoProgram } from '../../tools/go.ts';
import { findOrMake } from '../store/cache-lock.ts';
import { type LayerEntry, packLayer, trimRoot } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { primitivesVersion } from './primitives-version.ts';

/**
 * The primitives that recipes build from. Each result is cached under the hash of its inputs, so a change in one place
 * of a recipe rebuilds that place only. The compiler's version is not an input, since rebuilding for a newer Go would
 * take twenty minutes; `images prune --all` forces it.
 */
export interface Workshop {
  /** Debian's name of the engine's architecture, which images are built for. */
  readonly architecture: string;
  /** Builds a static Go program, for images unless another platform is named; resolves to the path of the binary. */
  goProgram(program: GoProgram, platform?: Platform): Promise<string>;
  /** A root file system of Debian packages as a layer, without documentation and the path prefixes in `drop`. */
  debianRoot(root: DebianRoot, drop?: readonly string[]): Promise<Layer>;
  layer(entries: readonly LayerEntry[]): Promise<Layer>;
  image(layers: readonly Layer[], container: ContainerConfig): Image;
}

export interface WorkshopDeps {
  readonly store: Store;
  readonly go: Go;
  readonly debian: Debian;
  readonly architecture: string;
  /** The user's cache folder, for the locks. */
  readonly cache: string;
  readonly run: Run;
  /** Shared by all workshops of a process: a Go build uses every core, and two at once slow each other down. */
  readonly goQueue: SerialQueue;
  /** Paused while another build runs. */
  readonly stopwatch?: Stopwatch | undefined;
}

/** Opens a workshop that reports to `run` and stops with it. */
export function openWorkshop(deps: WorkshopDeps): Workshop {
  const { store, go, debian, architecture, cache, run, goQueue, stopwatch } = deps;

  const findOrBuild = <T>(key: string, find: () => Promise<T | undefined>, make: () => Promise<T>) =>
    findOrMake({ cache, key, run, find, make });

  async function inGoQueue(work: () => Promise<void>): Promise<void> {
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const built = goQueue(
      () => {
        begin();
        run.signal.throwIfAborted();
        return work();
      },
      () => run.report('waiting for another Go build'),
    );
    await (stopwatch?.pauseWhile(begun) ?? begun);
    await built;
  }

  return {
    architecture,

    async goProgram(program, platform = { os: 'linux', architecture }) {
      const name = programName(program);
      const key = await toProgramKey(program, platform);
      return findOrBuild(
        key,
        () => store.findFile(key),
        () =>
          store.withWorkFolder(async (folder) => {
            await inGoQueue(() => go.build(program, platform, folder, run));
            return store.putFile(key, (path) => rename(join(folder, name), path));
          }),
      );
    },

    async debianRoot(root, drop = []) {
      const key = toRootKey(root, drop, architecture);
      const image = await findOrBuild(
        key,
        () => store.findImage(key),
        () =>
          store.withWorkFolder(async (folder) => {
            const tar = join(folder, 'root.tar');
            await debian.makeRoot(root, architecture, tar, run);
            const layer = await store.putBlob(trimRoot(createReadStream(tar), drop));
            const made = { config: '', layers: [layer] };
            await store.putImage(key, made);
            return made;
          }),
      );
      return image.layers[0] as Layer;
    },

    layer: (entries) => store.putBlob(packLayer(entries)),

    image: (layers, container) => ({ layers, config: toImageConfig(layers, container, architecture) }),
  };
}

/** Go names a program after the last element of its import path that is not a major version. */
function programName(program: GoProgram): string {
  const path = program.package.replace(/\/v\d+$/, '');
  return basename(path === '.' && 'module' in program ? program.module : path);
}

/** The store's key of a Go program. */
export async function toProgramKey(program: GoProgram, platform: Platform): Promise<string> {
  return `${programName(program)}-${await hashProgram(program, platform)}`;
}

async function hashProgram(program: GoProgram, platform: Platform): Promise<string> {
  // What is built for images is always for Linux, which therefore has no mark.
  const { os, architecture } =
    platform.os === 'linux' ? { architecture: platform.architecture, os: undefined } : platform;
  if (!('module' in program)) return hash({ primitivesVersion, program, architecture, os });
  const { module, ...rest } = program;
  return hash({ primitivesVersion, rest, architecture, source: await hashFolder(module), os });
}

/** The store's key of a root file system of Debian packages. */
export function toRootKey(root: DebianRoot, drop: readonly string[], architecture: string): string {
  return `debian-${root.suite}-${hash({ primitivesVersion, root, drop, architecture })}`;
}
