import { access, constants, mkdir, readlink, realpath, rename, rm, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Workshop } from '../images/build/workshop.ts';
import type { Store } from '../images/store/store.ts';
import { CommandFailure, Failure } from '../lib/failure.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { Exec } from '../tools/exec.ts';
import type { GoProgram } from '../tools/go.ts';
import { downloadRelease, type ToolName, toolRelease } from '../tools/releases.ts';
import { versions } from '../tools/versions.ts';

export interface ToolDeps {
  readonly exec: Exec;
  readonly store: Store;
  readonly workshop: (run: Run) => Promise<Workshop>;
  /** How to build it where no release can be downloaded. */
  readonly program: () => Promise<GoProgram>;
  /** The folder whose programs every other step runs. */
  readonly bin: string;
}

/** What a tool says of its version, and which versions do. */
const tools: Readonly<
  Record<
    ToolName,
    { readonly ask: readonly string[]; readonly fits: (version: string) => boolean; readonly wanted: string }
  >
> = {
  // Node images and kind's own files change together, so exactly this one.
  kind: { ask: ['version'], fits: (version) => version === versions.kind, wanted: versions.kind },
  // One minor version around the cluster's (kubernetes.io, version skew policy).
  kubectl: {
    ask: ['version', '--client'],
    fits: (version) => Math.abs(minorOf(version) - minorOf(versions.kubernetes)) <= 1,
    wanted: versions.kubernetes,
  },
  // 4 renders and labels differently; before 3.13 a release has no labels.
  helm: {
    ask: ['version', '--short'],
    fits: (version) => version.startsWith('3.') && minorOf(version) >= 13,
    wanted: versions.helm,
  },
};

/** Puts a tool into our bin folder: the one on PATH where its version fits, else its release, else built from packages. */
export function ensureTool(tool: ToolName, { exec, store, workshop, program, bin }: ToolDeps): Step {
  const place = join(bin, tool);
  const { ask, fits, wanted } = tools[tool];
  // Not `kubectl-…`: kubectl takes such a program on PATH for a plug-in.
  const versioned = `${tool}@${wanted}`;

  async function versionOf(path: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { stdout } = await exec(path, ask, { signal, timeout: 10_000 });
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
      if (version !== undefined && fits(version)) return realpath(path);
    }
    return undefined;
  }

  async function obtain(run: Run): Promise<string> {
    const onPath = await findOnPath(run.signal);
    if (onPath !== undefined) return onPath;
    const os = process.platform;
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    const key = `${tool}-${wanted}-${os}-${arch}`;
    const kept = await store.findFile(key);
    if (kept !== undefined) return kept;
    try {
      run.report(`downloading ${tool} ${wanted}`);
      const release = toolRelease(tool, os, arch);
      return await store.putFile(key, (path) => downloadRelease(release, path, run.signal));
    } catch (error) {
      run.signal.throwIfAborted();
      // A wrong checksum is no reason to look elsewhere.
      if (!(error instanceof Failure) || error.exitCode === 9) throw error;
      run.report(`${error.message}: building ${tool} ${wanted} from its Go module`);
      return (await workshop(run)).goProgram(await program());
    }
  }

  return {
    title: tool,
    async isDone({ signal }) {
      // The name of the link in between tells for which version it was made: asking helm itself costs 0.1 s.
      const name = await readlink(place).catch(() => undefined);
      const target = name === versioned && (await realpath(place).catch(() => undefined));
      signal.throwIfAborted();
      return target ? `fits ${wanted}` : false;
    },
    async apply(run) {
      const target = await obtain(run);
      await mkdir(bin, { recursive: true, mode: 0o700 });
      await replaceLink(join(bin, versioned), target);
      await replaceLink(place, versioned);
    },
  };
}

/** Makes or changes a symbolic link in one step: a run beside this one never finds it missing. */
async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
