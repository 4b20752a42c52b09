import type { Readable } from 'node:stream';
import { CommandFailure } from '../lib/failure.ts';
import type { Digest } from '../lib/oci.ts';
import type { DockerCli } from './docker-cli.ts';

/** What a node's image store holds. */
export interface NodeContent {
  /** Reference → manifest digest of every image. */
  readonly images: ReadonlyMap<string, Digest>;
  /** What need not travel: chain IDs of unpacked layers, and digests of blobs. */
  readonly layers: ReadonlySet<Digest>;
}

/** The image store of a cluster's nodes: containerd, asked from inside the node's container. */
export interface Nodes {
  /** Whether the node runs and its containerd answers. */
  isUp(node: string, signal: AbortSignal): Promise<boolean>;
  list(node: string, signal: AbortSignal): Promise<NodeContent>;
  /** Reads an OCI archive into the node and unpacks it; resolves to the images that the node has then. */
  importImages(node: string, archive: Readable, signal: AbortSignal): Promise<NodeContent['images']>;
  removeImages(node: string, references: readonly string[], signal: AbortSignal): Promise<void>;
  /** Resolves once kube-proxy leads no request on this node to these addresses of pods. @throws {CommandFailure} in 10 s. */
  waitUntilUnrouted(node: string, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** Where on the node lies what a container has at this folder; undefined when that is no volume of it. */
  findMount(
    node: string,
    container: string,
    folder: string,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Puts files of a tar into a folder of the node, each in one move; those that are there keep owner and mode. */
  putFiles(node: string, folder: string, files: TarFiles, signal: AbortSignal): Promise<void>;
}

export interface TarFiles {
  readonly archive: Readable;
  /** Those to be put, relative to the folder, in this order. */
  readonly paths: readonly string[];
}

const ctr = ['ctr', '--namespace=k8s.io'] as const;

/** Entering the node takes as long as what is asked there, so several questions go in together. */
const toScript = (...commands: readonly string[]) => [
  'sh',
  '-c',
  commands.map((command) => `${ctr.join(' ')} ${command}`).join(` && echo ${between} && `),
];

/** A line that no answer has. */
const between = '----';

/**
 * A link in the folder may be a container's own doing, and must not lead this script, which is root of the node, out of
 * it.
 */
const putScript = `set -e
cd "$1"; shift
here=$(pwd -P) new=.wealist-live
rm -rf "$new"; mkdir "$new"; trap 'rm -rf "$here/$new"' EXIT
tar -x -f - -C "$new"
for file; do
  folder=$(dirname "./$file")
  case "$(realpath -m "$folder")/" in "$here"/*) ;; *) echo "$file leads out of $here" >&2; exit 1 ;; esac
  mkdir -p "$folder"
  if [ -f "$file" ]; then
    chown --reference="$file" "$new/$file"
    chmod --reference="$file" "$new/$file"
  fi
  mv -f -T "$new/$file" "$file"
done`;

/** Where kube-proxy writes no rules for iptables, there is nothing to wait for. */
const unroutedScript = `while iptables-save -t nat 2>/dev/null | grep -qF "$1"; do sleep 0.05; done`;

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

    async list(node, signal) {
      const script = toScript('images list', 'snapshots list', 'content list --quiet');
      const { stdout } = await docker.exec(node, script, { signal });
      const [images = '', snapshots = '', blobs = ''] = stdout.split(`${between}\n`);
      const names = [snapshots, blobs].flatMap((text) => text.split('\n').map((row) => row.split(/\s+/)[0]));
      return {
        images: toImages(images),
        layers: new Set(names.filter((name): name is Digest => name?.startsWith('sha256:') ?? false)),
      };
    },

    async importImages(node, archive, signal) {
      const script = toScript('images import -', 'images list');
      const { stdout } = await docker.exec(node, script, { input: archive, signal });
      return toImages(stdout.split(`${between}\n`)[1] ?? '');
    },

    async removeImages(node, references, signal) {
      if (references.length === 0) return;
      await docker.exec(node, [...ctr, 'images', 'remove', ...references], { signal });
    },

    async waitUntilUnrouted(node, addresses, signal) {
      if (addresses.length === 0) return;
      const destinations = addresses.map((address) => `--to-destination ${address}:`).join('\n');
      await docker.exec(node, ['timeout', '10', 'sh', '-c', unroutedScript, 'sh', destinations], { signal });
    },

    async findMount(node, container, folder, signal) {
      const { stdout } = await docker.exec(node, [...ctr, 'containers', 'info', container], { signal });
      const { Spec } = JSON.parse(stdout) as {
        readonly Spec?: { readonly mounts?: readonly { destination: string; source: string }[] };
      };
      return Spec?.mounts?.find(({ destination }) => destination === folder)?.source;
    },

    async putFiles(node, folder, { archive, paths }, signal) {
      const argv = ['sh', '-c', putScript, 'sh', folder, ...paths];
      await docker.exec(node, argv, { input: archive, signal });
    },
  };
}

/** REF TYPE DIGEST SIZE …, of which only the first three have no spaces. */
function toImages(table: string): NodeContent['images'] {
  const rows = table.split('\n').slice(1);
  return new Map(
    rows.flatMap((row) => {
      const [reference, , digest] = row.split(/\s+/);
      return reference && digest ? [[reference, digest as Digest] as const] : [];
    }),
  );
}
