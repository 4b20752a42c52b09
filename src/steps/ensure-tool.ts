import { access, constants, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import type { Workshop } from '../images/build/workshop.ts';
import type { Store } from '../images/store/store.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { hash } from '../lib/hash.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { ownPlatform } from '../lib/platform.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { Exec } from '../tools/exec.ts';
import type { GoProgram } from '../tools/go.ts';
import { downloadRelease, type ToolName, toolRelease } from '../tools/releases.ts';
import { versions } from '../tools/versions.ts';

export interface ToolDeps {
  readonly exec: Exec;
  readonly store: Store;
  readonly workshop: (run: Run) => Promise<Workshop>;
  /** The Go program to build where its release cannot be downloaded. */
  readonly program: () => Promise<GoProgram>;
  /** The folder from which the other steps run it. */
  readonly bin: string;
}

/** How each tool is asked for its version, and which versions are supported. */
const tools: Readonly<
  Record<
    ToolName,
    {
      readonly versionArgs: readonly string[];
      readonly isSupported: (version: string) => boolean;
      readonly wanted: string;
    }
  >
> = {
  // Node images match one version of kind, so exactly this one.
  kind: {
    versionArgs: ['version'],
    isSupported: (version) => version === versions.kind,
    wanted: versions.kind,
  },
  // One minor version around the cluster's (kubernetes.io, version skew policy).
  kubectl: {
    versionArgs: ['version', '--client'],
    isSupported: (version) => Math.abs(minorOf(version) - minorOf(versions.kubernetes)) <= 1,
    wanted: versions.kubernetes,
  },
  // 4 renders and labels differently; before 3.13 a release has no labels.
  helm: {
    versionArgs: ['version', '--short'],
    isSupported: (version) => version.startsWith('3.') && minorOf(version) >= 13,
    wanted: versions.helm,
  },
};

/** A supported version is in our bin folder: the one on PATH, else the tool's release, else built from its Go module. */
export function ensureTool(tool: ToolName, { exec, store, workshop, program, bin }: ToolDeps): Step {
  const place = join(bin, tool);
  const { versionArgs, isSupported, wanted } = tools[tool];
  const platform = ownPlatform();
  const { os, architecture } = platform;
  const key = `${tool}-${wanted}-${os}-${architecture}`;

  /**
   * The name of the link that `place` points to: it tells which version was asked for, and of which file. A program on PATH
   * is replaced by its package manager. Not `kubectl-…`, which kubectl would treat as a plugin.
   */
  async function toLinkName(target: string): Promise<string> {
    const { size, mtimeMs, ino } = await stat(target);
    return `${tool}@${wanted}-${hash({ target, size, mtimeMs, ino }).slice(0, 12)}`;
  }

  async function versionOf(path: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { stdout } = await exec(path, versionArgs, { signal, timeout: 10_000 });
      return /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CommandFailure) return undefined;
      throw error;
    }
  }

  async function findOnPath(signal: AbortSignal): Promise<string | undefined> {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, tool);
      if (
        folder === '' ||
        (await access(path, constants.X_OK).then(
          () => false,
          () => true,
        ))
      )
        continue;
      const version = await versionOf(path, signal);
      if (version !== undefined && isSupported(version)) return realpath(path);
    }
    return undefined;
  }

  async function obtain(run: Run): Promise<string> {
    const onPath = await findOnPath(run.signal);
    if (onPath !== undefined) return onPath;
    const cached = await store.findFile(key);
    if (cached !== undefined) return cached;
    try {
      run.report(`downloading ${tool} ${wanted}`);
      const release = toolRelease(tool, os, architecture);
      return await store.putFile(key, (path) => downloadRelease(release, path, run.signal));
    } catch (error) {
      run.signal.throwIfAborted();
      // After a wrong checksum no other source is tried.
      if (!(error instanceof Failure) || error.exitCode === exitCodes.refused) throw error;
      run.report(`${error.message}: building ${tool} ${wanted} from its Go module`);
      return (await workshop(run)).goProgram(await program(), platform);
    }
  }

  return {
    title: tool,
    async isDone({ signal }) {
      // The name of the link is enough: running helm to ask takes 0.1 s.
      const [name, target] = await Promise.all([
        readlink(place).catch(() => undefined),
        realpath(place).catch(() => undefined),
      ]);
      signal.throwIfAborted();
      if (target === undefined || name !== (await toLinkName(target))) return false;
      // A file of the store is named by its key.
      if (basename(target) !== tool) await store.markUsed(basename(target));
      return `compatible with ${wanted}`;
    },
    async apply(run) {
      const target = await obtain(run);
      const name = await toLinkName(target);
      await makeFolder(bin, 0o700);
      await replaceLink(join(bin, name), target);
      await replaceLink(place, name);
    },
  };
}

/** Creates or replaces a symbolic link atomically: a concurrent run never finds it missing. */
async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
