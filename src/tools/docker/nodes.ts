import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { CommandFailure } from '../../lib/failure.ts';
import { changeScript, type FolderChanges } from './change-folder.ts';
import type { DockerCli } from './cli.ts';
import { type ContainerPrograms, listPrograms, openInspector } from './container-programs.ts';
import { type HoldStartsOptions, holdStarts } from './hold-starts.ts';
import { readKubeletError } from './kubelet.ts';
import { createNodeImageStore, ctr, type NodeImageStore } from './node-image-store.ts';
import { restartScript } from './restart-program.ts';

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
  /** Makes these changes in a folder of the node, each file by one rename. */
  changeFolder(node: string, folder: string, changes: FolderChanges, signal: AbortSignal): Promise<void>;
  /**
   * Runs a program in a container of the node, as its user and with its environment.
   * @throws {CommandFailure} with its exit code when it fails.
   */
  execInContainer(
    node: string,
    container: string,
    argv: readonly string[],
    options: { readonly signal: AbortSignal; readonly onLine?: (line: string) => void },
  ): Promise<void>;
  /** As `listPrograms`. */
  listPrograms(
    node: string,
    place: { readonly container: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<ContainerPrograms>;
  /** As `openInspector`. */
  openInspector(
    node: string,
    process: { readonly nodePid: number; readonly port: number },
    signal: AbortSignal,
  ): Promise<'open' | 'opened' | 'refused'>;
  /** Sends SIGINT to the first program of a container, if the container runs. */
  interruptContainer(node: string, container: string, signal: AbortSignal): Promise<void>;
  /** As `holdStarts`. */
  holdStarts(node: string, options: HoldStartsOptions): Promise<void>;
  /**
   * Restarts the program of a container that was started through `restartEntrypoint`, and resolves once the
   * previous process has ended; resolves to false when the container was started otherwise.
   */
  restartProgram(node: string, container: string, signal: AbortSignal): Promise<boolean>;
}

/** Where kube-proxy does not use iptables, it ends at once. */
const unroutedScript = `destinations=$(cat); [ "$destinations" ] || exit 0
exec timeout 10 sh -c 'while iptables-save -t nat 2>/dev/null | grep -qF -- "$1"; do sleep 0.05; done' sh "$destinations"`;

/** Takes the ID of a container. */
const interruptScript =
  'ctr --namespace=k8s.io tasks list | while read -r id pid state; do [ "$id" != "$1" ] || kill -INT "$pid"; done';

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

    async changeFolder(node, folder, { archive, changes }, signal) {
      const words = changes.flatMap(({ path, action }) => [action, path]);
      await docker.exec(node, ['sh', '-c', changeScript, 'sh', folder, ...words], { input: archive, signal });
    },

    async execInContainer(node, container, argv, options) {
      const id = `wealist-${randomUUID()}`;
      await docker.exec(node, [...ctr, 'tasks', 'exec', '--exec-id', id, container, ...argv], options);
    },

    listPrograms: (node, place, signal) => listPrograms(docker, node, place, signal),

    openInspector: (node, process, signal) => openInspector(docker, node, process, signal),

    async interruptContainer(node, container, signal) {
      await docker.exec(node, ['sh', '-c', interruptScript, 'sh', container], { signal });
    },

    holdStarts: (node, options) => holdStarts(docker, node, options),

    async restartProgram(node, container, signal) {
      const { stdout } = await docker.exec(node, ['sh', '-c', restartScript, 'sh', container], { signal });
      return stdout.trim() !== 'other';
    },
  };
}

/** The part of kube-proxy's rules that names an address. */
async function* toDestinations(addresses: Promise<readonly string[]>): AsyncGenerator<string> {
  for (const address of await addresses) yield `--to-destination ${address}:\n`;
}
