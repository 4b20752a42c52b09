import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../lib/oci.ts';
import type { DockerCli } from './cli.ts';

/** What a node's image store holds. */
export interface NodeContent {
  /** Reference → manifest digest of the images that were asked for and are there. */
  readonly images: ReadonlyMap<string, Digest>;
  /** What need not be sent: chain IDs of unpacked layers, and digests of blobs. */
  readonly layers: ReadonlySet<Digest>;
}

/**
 * Which images a node is to list: by reference, or all of a repository. containerd reads the manifest of each image that
 * it lists, which takes a fifth of a second for those of a whole cluster.
 */
export type ImageQuery = { readonly references: readonly string[] } | { readonly repository: string };

/** The image stores of a cluster's nodes: containerd, asked from inside the node's container. */
export interface NodeImageStore {
  list(node: string, query: ImageQuery, signal: AbortSignal): Promise<NodeContent>;
  /** Starts the program that loads before the archive exists: starting it takes as long as the load itself. */
  openLoad(node: string, query: ImageQuery, signal: AbortSignal): NodeLoad;
  /** Removes references, and the image IDs as which the node also has what has one of these manifest digests. */
  removeImages(node: string, images: RemovedImages, signal: AbortSignal): Promise<void>;
}

export interface RemovedImages {
  readonly references: readonly string[];
  readonly digests: readonly Digest[];
}

/** A program in a node: it lists what the node has, then imports one archive. */
export interface NodeLoad {
  readonly content: Promise<NodeContent>;
  /** Reads an OCI archive into the node and unpacks it; resolves to the images of the query that it has then. */
  importImages(archive: Readable): Promise<NodeContent['images']>;
  /** Ends the program; nothing more is imported. */
  close(): void;
}

/** containerd's own client, in the namespace of the kubelet's images and containers. */
export const ctr = ['ctr', '--namespace=k8s.io'] as const;

/** `docker exec` takes as long as the commands themselves, so several are run by one. */
const toShell = (commands: readonly string[]) =>
  commands.map((command) => `${ctr.join(' ')} ${command}`).join(` && echo ${separator} && `);

/** Lines that the commands do not print: between two outputs, and before the archive is read. */
const separator = '----';
const endOfContent = '====';

/** The shell's own arguments are filters. */
const listCommand = 'images list "$@"';
const contentCommands = [listCommand, 'snapshots list', 'content list --quiet'] as const;

/** Arguments of `ctr images list`, which prints images that match any of its filters. */
const toFilters = (query: ImageQuery) =>
  'references' in query
    ? query.references.map((reference) => `name==${JSON.stringify(reference)}`)
    : [`name~=${JSON.stringify(`^${query.repository.replaceAll('.', '\\.')}:`)}`];

/** The shell's own arguments: how many references, these, and then filters. */
const removeScript = `set -e
count=$1; shift
for each; do
  if [ "$count" -gt 0 ]; then set -- "$@" "$each"; count=$((count - 1))
  else set -- "$@" $(${ctr.join(' ')} images list --quiet "$each"); fi
  shift
done
${ctr.join(' ')} images remove "$@"`;

export function createNodeImageStore(docker: DockerCli): NodeImageStore {
  return {
    async list(node, query, signal) {
      const argv = ['sh', '-c', toShell(contentCommands), 'sh', ...toFilters(query)];
      const { stdout } = await docker.exec(node, argv, { signal });
      return toContent(stdout);
    },

    openLoad: (node, query, signal) => openLoad(docker, node, query, signal),

    async removeImages(node, { references, digests }, signal) {
      if (references.length === 0) return;
      const filters = digests.map((digest) => `name~="^sha256:",target.digest==${digest}`);
      const argv = ['sh', '-c', removeScript, 'sh', String(references.length), ...references, ...filters];
      await docker.exec(node, argv, { signal });
    },
  };
}

const stoppedReading = new Set(['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

function openLoad(docker: DockerCli, node: string, query: ImageQuery, signal: AbortSignal): NodeLoad {
  const script = [
    toShell(contentCommands),
    `echo ${endOfContent}`,
    toShell(['images import -', listCommand]),
  ];
  const input = new PassThrough();
  const closed = new AbortController();
  const lines: string[] = [];
  let onContent: (content: NodeContent) => void;
  const ended = docker.exec(node, ['sh', '-c', script.join(' && '), 'sh', ...toFilters(query)], {
    input,
    signal: AbortSignal.any([signal, closed.signal]),
    onLine(line) {
      if (line === endOfContent) onContent(toContent(lines.join('\n')));
      else lines.push(line);
    },
  });
  const content = new Promise<NodeContent>((resolve, reject) => {
    onContent = resolve;
    ended.catch(reject);
  });
  // A caller that awaits one of them gets its error; after `close` no caller does.
  for (const each of [ended, content]) each.catch(() => {});

  return {
    content,
    async importImages(archive) {
      pipeline(archive, input).catch((error) => {
        // When the node stopped reading, `ended` has the reason; when the archive failed, the node would wait forever.
        if (!stoppedReading.has(error.code)) closed.abort(error);
      });
      const { stdout } = await ended;
      return toImages(stdout.split(`${endOfContent}\n`)[1]?.split(`${separator}\n`)[1] ?? '');
    },
    close() {
      closed.abort(new Error('nothing is imported'));
      input.destroy();
    },
  };
}

function toContent(answers: string): NodeContent {
  const [images = '', snapshots = '', blobs = ''] = answers.split(`${separator}\n`);
  const names = [snapshots, blobs].flatMap((text) => text.split('\n').map((row) => row.split(/\s+/)[0]));
  return {
    images: toImages(images),
    layers: new Set(names.filter((name): name is Digest => name?.startsWith('sha256:') ?? false)),
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
