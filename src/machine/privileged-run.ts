import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { Failure } from '../lib/failure.ts';
import type { Docker } from '../tools/docker/docker.ts';
import { exitProgram } from './exit-program.ts';

/** `sys-resource`: Docker requests a capability that the machine withholds. `other`: the reason is in `message`. */
export interface PrivilegedProblem {
  readonly kind: 'sys-resource' | 'other';
  readonly message: string;
}

/**
 * Starts a privileged container, which nodes are, with a program that ends at once: only a real run shows what the engine
 * can grant. Undefined when it started, or when no such program exists for the engine's processor. Creates its own image
 * of a few hundred bytes, and removes it.
 */
export async function findPrivilegedProblem(
  docker: Docker,
  arch: string,
  signal?: AbortSignal,
): Promise<PrivilegedProblem | undefined> {
  const program = exitProgram(arch);
  if (program === undefined) return undefined;

  const image = `wealist.local/privileged-run:${randomBytes(6).toString('hex')}`;
  const archive = pack();
  archive.entry({ name: 'exit', mode: 0o755 }, Buffer.from(program));
  archive.finalize();
  await docker.importImage(Readable.from(archive), image, { signal });
  try {
    const container = await docker.createContainer(
      { image, command: ['/exit'], privileged: true },
      { signal },
    );
    try {
      await docker.startContainer(container, { signal });
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const kind = /unable to apply caps|operation not permitted/.test(error.message)
        ? 'sys-resource'
        : 'other';
      return { kind, message: error.message };
    } finally {
      await docker.removeContainer(container);
    }
  } finally {
    await docker.removeImage(image);
  }
}
