import { realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CommandFailure } from '../lib/failure.ts';
import type { BuildClient } from '../tools/docker/build.ts';
import type { Exec } from '../tools/exec.ts';
import { findProgram, type Host } from './host.ts';

/** What a docker client needs in its environment to talk to the engine. */
export type EngineEnvironment = Readonly<Record<string, string>>;

/**
 * The docker client that builds: the first with BuildKit, of all those on PATH and of Debian's own. A newer client on
 * PATH may come without the buildx plugin, and then builds only as Docker did before BuildKit; an older one beside it
 * has BuildKit built in, unless it is too old for the engine. Undefined when no client is installed.
 */
export async function findBuildClient(
  host: Host,
  exec: Exec,
  engine: EngineEnvironment,
): Promise<BuildClient | undefined> {
  const programs = await listClients(host);
  for (const program of programs) {
    if (await hasBuildKit(program, exec, engine)) return { program, buildKit: true };
  }
  const [first] = programs;
  return first === undefined ? undefined : { program: first, buildKit: false };
}

/** Whether the engine refuses the client's version of its API, as Docker 29 does with Docker 20.10. */
export async function isTooOld(program: string, exec: Exec, engine: EngineEnvironment): Promise<boolean> {
  const options = { timeout: 5_000, env: engine };
  return exec(program, ['version', '--format', '{{.Server.APIVersion}}'], options).then(
    () => false,
    (error: unknown) => error instanceof CommandFailure && tooOld.test(error.stderr),
  );
}

const tooOld = /client version \S+ is too old/i;

async function listClients({ env, root }: Host): Promise<readonly string[]> {
  const folders = [...(env.PATH ?? '').split(delimiter), join(root, 'usr/bin')];
  const found = await Promise.all(folders.map((folder) => findProgram('docker', folder)));
  const programs = found.filter((program) => program !== undefined);
  // Several paths may be links to one client.
  const real = await Promise.all(programs.map((program) => realpath(program)));
  return programs.filter((_, index) => real.indexOf(real[index] ?? '') === index);
}

/** BuildKit is built into the client until Docker 22, and a plugin since 23. */
async function hasBuildKit(program: string, exec: Exec, engine: EngineEnvironment): Promise<boolean> {
  const limit = { timeout: 5_000 };
  const { stdout } = await exec(program, ['--version'], limit).catch(() => ({ stdout: '' }));
  const major = Number(/version (\d+)\./.exec(stdout)?.[1]);
  if (Number.isNaN(major)) return false;
  if (major < 23) return major >= 19 && !(await isTooOld(program, exec, engine));
  return exec(program, ['buildx', 'version'], limit).then(
    () => true,
    () => false,
  );
}
