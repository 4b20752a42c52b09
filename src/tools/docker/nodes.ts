import { Readable } from 'node:stream';
import { CommandFailure } from '../../lib/failure.ts';
import type { DockerCli } from './cli.ts';
import { createNodeImageStore, ctr, type NodeImageStore } from './node-image-store.ts';

/** A cluster's nodes, asked from inside their containers. */
export interface Nodes extends NodeImageStore {
  /** Whether the node runs and its containerd answers. */
  isUp(node: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Enters the node at once, and resolves when kube-proxy leads no request there to these addresses of pods, as soon as
   * they are known. @throws {CommandFailure} in 10 s.
   */
  waitUntilUnrouted(node: string, addresses: Promise<readonly string[]>, signal: AbortSignal): Promise<void>;
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
  old="./$file"
  if [ -f "$old" ] && [ ! -L "$old" ]; then
    chown --reference="$old" "$new/$file"
    chmod --reference="$old" "$new/$file"
  fi
  mv -f -T "$new/$file" "$old"
done`;

/** Where kube-proxy writes no rules for iptables, there is nothing to wait for. */
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

/** As kube-proxy's rules name them. */
async function* toDestinations(addresses: Promise<readonly string[]>): AsyncGenerator<string> {
  for (const address of await addresses) yield `--to-destination ${address}:\n`;
}
