import { Readable } from 'node:stream';
import { CommandFailure } from '../../lib/failure.ts';
import type { DockerCli } from './cli.ts';
import { readKubeletError } from './kubelet.ts';
import { createNodeImageStore, ctr, type NodeImageStore } from './node-image-store.ts';

/** A cluster's nodes, through programs that run inside their containers. */
export interface Nodes extends NodeImageStore {
  /** Whether the node is running and its containerd responds. */
  isUp(node: string, signal: AbortSignal): Promise<boolean>;
  /** Why the kubelet of the node does not keep running; undefined when it does. @throws {CommandFailure} when the node does not run. */
  findKubeletError(node: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Starts its program at once, and resolves when kube-proxy on the node routes no request to these addresses of pods,
   * which may become known later. @throws {CommandFailure} after 10 s.
   */
  waitUntilUnrouted(node: string, addresses: Promise<readonly string[]>, signal: AbortSignal): Promise<void>;
  /** The folder of the node that is mounted at this folder of a container; undefined when none is. */
  findMount(
    node: string,
    container: string,
    folder: string,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Copies files of a tar into a folder of the node, each by one rename; existing ones keep owner and mode. */
  putFiles(node: string, folder: string, files: TarFiles, signal: AbortSignal): Promise<void>;
}

export interface TarFiles {
  readonly archive: Readable;
  /** The files to copy, relative to the folder, in this order. */
  readonly paths: readonly string[];
}

/** A container may have put a symbolic link into the folder; this script, root of the node, must not follow it out. */
const putScript = `set -e
cd "$1"; shift
here=$(pwd -P) new=.wealist-live
rm -rf "$new"; mkdir "$new"; trap 'rm -rf "$here/$new"' EXIT
tar -x -f - -C "$new"
for file; do
  folder=$(dirname "./$file")
  case "$(realpath -m "$folder")/" in "$here"/*) ;; *) echo "$file leads out of $here" >&2; exit 1 ;; esac
  mkdir -p "$folder"
  old="./$file"
  if [ -f "$old" ] && [ ! -L "$old" ]; then
    chown --reference="$old" "$new/$file"
    chmod --reference="$old" "$new/$file"
  fi
  mv -f -T "$new/$file" "$old"
done`;

/** Where kube-proxy does not use iptables, it ends at once. */
const unroutedScript = `destinations=$(cat); [ "$destinations" ] || exit 0
exec timeout 10 sh -c 'while iptables-save -t nat 2>/dev/null | grep -qF -- "$1"; do sleep 0.05; done' sh "$destinations"`;

export function createNodes(docker: DockerCli): Nodes {
  return {
    ...createNodeImageStore(docker),

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

    findKubeletError: (node, signal) => readKubeletError(docker, node, signal),

    async waitUntilUnrouted(node, addresses, signal) {
      const input = Readable.from(toDestinations(addresses));
      await docker.exec(node, ['sh', '-c', unroutedScript], { input, signal });
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

/** The part of kube-proxy's rules that names an address. */
async function* toDestinations(addresses: Promise<readonly string[]>): AsyncGenerator<string> {
  for (const address of await addresses) yield `--to-destination ${address}:\n`;
}
