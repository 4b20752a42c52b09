import { createReadStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hash, hashFolder } from '../../lib/hash.ts';
import { type ContainerConfig, type Image, type Layer, toImageConfig } from '../../lib/oci.ts';
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
 * The few things recipes are made of. Each result is kept under the hash of all that went into it, so a recipe that
 * changes in one place pays for that place only. The compiler's version is no input: a newer Go is no reason to spend
 * twenty minutes, and `images prune` is there for who wants it.
 */
export interface Workshop {
  /** Debian's name of the architecture everything is built for: this machine's. */
  readonly architecture: string;
  /** Builds a static Go program; resolves to the path of the binary. */
  goProgram(program: GoProgram): Promise<string>;
  /** A root file system of Debian packages, without documentation and what `drop` names, as a layer. */
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
  /** Shared by all workshops of a process: a Go build uses every core, and two at once starve each other. */
  readonly goQueue: SerialQueue;
  /** Stands still while another build has its turn. */
  readonly stopwatch?: Stopwatch | undefined;
}

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
      () => run.report('waiting until another program is built'),
    );
    await (stopwatch?.pauseWhile(begun) ?? begun);
    await built;
  }

  return {
    architecture,

    async goProgram(program) {
      const name = programName(program);
      const key = await toProgramKey(program, architecture);
      return findOrBuild(
        key,
        () => store.findFile(key),
        () =>
          store.withWorkFolder(async (folder) => {
            await inGoQueue(() => go.build(program, folder, run));
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
            await debian.makeRoot(root, tar, run);
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

/** Go names a program after its import path's last element that is no major version. */
function programName(program: GoProgram): string {
  const path = program.package.replace(/\/v\d+$/, '');
  return basename(path === '.' && 'module' in program ? program.module : path);
}

/** What the store keeps a Go program under. */
export async function toProgramKey(program: GoProgram, architecture: string): Promise<string> {
  return `${programName(program)}-${await hashProgram(program, architecture)}`;
}

async function hashProgram(program: GoProgram, architecture: string): Promise<string> {
  if (!('module' in program)) return hash({ primitivesVersion, program, architecture });
  const { module, ...rest } = program;
  return hash({ primitivesVersion, rest, architecture, source: await hashFolder(module) });
}

/** What the store keeps a root of Debian packages under. */
export function toRootKey(root: DebianRoot, drop: readonly string[], architecture: string): string {
  return `debian-${root.suite}-${hash({ primitivesVersion, root, drop, architecture })}`;
}
