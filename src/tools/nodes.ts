import type { Readable } from 'node:stream';
import { CommandFailure } from '../lib/failure.ts';
import type { Digest } from '../lib/oci.ts';
import type { DockerCli } from './docker-cli.ts';

/** The image store of a cluster's nodes: containerd, asked from inside the node's container. */
export interface Nodes {
  /** Whether the node runs and its containerd answers. */
  isUp(node: string, signal: AbortSignal): Promise<boolean>;
  /** Reference → manifest digest of every image on the node. */
  listImages(node: string, signal: AbortSignal): Promise<ReadonlyMap<string, Digest>>;
  /** What need not travel: chain IDs of unpacked layers, and digests of blobs. */
  listContent(node: string, signal: AbortSignal): Promise<ReadonlySet<Digest>>;
  /** Reads an OCI archive into the node and unpacks it. */
  importImages(node: string, archive: Readable, signal: AbortSignal): Promise<void>;
  removeImages(node: string, references: readonly string[], signal: AbortSignal): Promise<void>;
}

const ctr = ['ctr', '--namespace=k8s.io'] as const;

export function createNodes(docker: DockerCli): Nodes {
  return {
    async isUp(node, signal) {
      try {
        await docker.exec(node, [...ctr, 'version'], { signal });
        return true;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CommandFailure) return false;
        throw error;
      }
    },

    async listImages(node, signal) {
      const { stdout } = await docker.exec(node, [...ctr, 'images', 'list'], { signal });
      // REF TYPE DIGEST SIZE …, of which only the first three have no spaces.
      const rows = stdout.split('\n').slice(1);
      return new Map(
        rows.flatMap((row) => {
          const [reference, , digest] = row.split(/\s+/);
          return reference && digest ? [[reference, digest as Digest] as const] : [];
        }),
      );
    },

    async listContent(node, signal) {
      const [snapshots, blobs] = await Promise.all([
        docker.exec(node, [...ctr, 'snapshots', 'list'], { signal }),
        docker.exec(node, [...ctr, 'content', 'list', '--quiet'], { signal }),
      ]);
      const names = [
        ...snapshots.stdout.split('\n').map((row) => row.split(/\s+/)[0]),
        ...blobs.stdout.split('\n'),
      ];
      return new Set(names.filter((name): name is Digest => name?.startsWith('sha256:') ?? false));
    },

    async importImages(node, archive, signal) {
      await docker.exec(node, [...ctr, 'images', 'import', '-'], { input: archive, signal });
    },

    async removeImages(node, references, signal) {
      if (references.length === 0) return;
      await docker.exec(node, [...ctr, 'images', 'remove', ...references], { signal });
    },
  };
}
