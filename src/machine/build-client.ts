import { realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { BuildClient } from '../tools/docker/build.ts';
import type { Exec } from '../tools/exec.ts';
import { findProgram, type Host } from './host.ts';

/**
 * The docker client that builds: the first with BuildKit, of all those on PATH and of Debian's own. A newer client on
 * PATH may come without the buildx plugin, and then builds only as Docker did before BuildKit; an older one beside it
 * has BuildKit built in. Undefined when no client is installed.
 */
export async function findBuildClient(host: Host, exec: Exec): Promise<BuildClient | undefined> {
  const programs = await listClients(host);
  for (const program of programs) {
    if (await hasBuildKit(program, exec)) return { program, buildKit: true };
  }
  const [first] = programs;
  return first === undefined ? undefined : { program: first, buildKit: false };
}

async function listClients({ env, root }: Host): Promise<readonly string[]> {
  const folders = [...(env.PATH ?? '').split(delimiter), join(root, 'usr/bin')];
  const found = await Promise.all(folders.map((folder) => findProgram('docker', folder)));
  const programs = found.filter((program) => program !== undefined);
  // Several paths may be links to one client.
  const real = await Promise.all(programs.map((program) => realpath(program)));
  return programs.filter((_, index) => real.indexOf(real[index] ?? '') === index);
}

/** BuildKit is built into the client until Docker 22, and a plugin since 23. */
async function hasBuildKit(program: string, exec: Exec): Promise<boolean> {
  const limit = { timeout: 5_000 };
  const { stdout } = await exec(program, ['--version'], limit).catch(() => ({ stdout: '' }));
  const major = Number(/version (\d+)\./.exec(stdout)?.[1]);
  if (Number.isNaN(major)) return false;
  if (major < 23) return major >= 19;
  return exec(program, ['buildx', 'version'], limit).then(
    () => true,
    () => false,
  );
}
