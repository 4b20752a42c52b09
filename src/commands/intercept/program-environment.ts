import { lstat, mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type EnvFormat, envFileHead, toEnvFile } from '../../intercept/env-file.ts';
import { type RewriteOptions, type Rewritten, rewriteAddresses } from '../../intercept/local-addresses.ts';
import type { PodEnvironment, Variables } from '../../intercept/pod-environment.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { writeFileAtomically } from '../../state/atomic-file.ts';

/** What a program on this machine gets in place of the service's container. */
export interface ProgramEnvironment extends Rewritten {
  /** Names of variables that only a pod has a value for. */
  readonly podOnly: readonly string[];
  /** Files that the pod mounts, by their path there and that of the copy on this machine. */
  readonly files: readonly { readonly path: string; readonly copy: string }[];
}

/** Variables by which services are told where to listen, as far as the pod has them. */
const portKeys = ['PORT', 'SERVER_PORT'];

/** Names of the other Services whose addresses the variables hold. */
export function listAddressed(variables: Variables, own: string, options: Omit<RewriteOptions, 'addresses'>) {
  const { unreachable } = rewriteAddresses(variables, { ...options, addresses: [] });
  return [...new Set(unreachable.map(({ service }) => service))].filter((name) => name !== own);
}

/** The container's environment with addresses of this machine; its files are copied into the folder (0600). */
export async function toProgramEnvironment(
  pod: PodEnvironment,
  localPort: number,
  folder: string,
  options: RewriteOptions,
): Promise<ProgramEnvironment> {
  const rewritten = rewriteAddresses(pod.variables, options);
  const ports = portKeys.filter((key) => key in pod.variables).map((key) => [key, String(localPort)]);
  const files = await Promise.all(
    pod.files.map(async ({ path, content }) => {
      const copy = join(folder, path);
      await writeFileAtomically(copy, content);
      return { path, copy };
    }),
  );
  const variables = { ...rewritten.variables, ...Object.fromEntries(ports) };
  return { ...rewritten, variables, podOnly: pod.podOnly, files };
}

/**
 * Writes the variables for an IDE (0600). A file that this program has not written is left alone.
 * @throws {Failure} exit code 9 for such a file, 2 for a value that the format cannot hold.
 */
export async function writeEnvFile(file: string, variables: Variables, format: EnvFormat): Promise<string> {
  const path = resolve(file);
  const content = toEnvFile(variables, format);
  if (!(await isReplaceable(path, format))) {
    throw new Failure(`${path} was not written by wealist-local, and is left as it is`, {
      hint: '--env-file with another name',
      exitCode: exitCodes.refused,
    });
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, content);
  return path;
}

async function isReplaceable(path: string, format: EnvFormat): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return true;
  if (!found.isFile()) return false;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(envFileHead.length) });
    // JSON has no comments: only an empty file is known to hold nothing of the user.
    return bytesRead === 0 || (format !== 'json' && buffer.toString('utf8', 0, bytesRead) === envFileHead);
  } finally {
    await file.close();
  }
}
