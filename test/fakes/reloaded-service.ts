import { PassThrough, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { readTar } from '../../src/images/store/tar.ts';
import { hashContent } from '../../src/lib/hash.ts';
import { type Digest, digestOf } from '../../src/lib/oci.ts';
import type { Nodes } from '../../src/tools/docker/nodes.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { makeDeployment, makePod, makeStatus, ready } from './cluster-objects.ts';
import { selectImages } from './node-image-store.ts';

const namespace = 'wealist-kind-local';

/** What a stand-in reports about its program. */
interface ProgramStatus {
  readonly program: string;
  readonly refused?: string;
  readonly startsAnew?: boolean;
}

interface FakePod {
  readonly name: string;
  /** ID of the container's current run. */
  containerID: string;
  image: string;
  annotations: Record<string, string>;
}

export interface ReloadedServiceOptions {
  readonly image?: string;
  readonly pods?: readonly string[];
  /** Folders that are volumes in its containers. */
  readonly volumes?: readonly string[];
}

export type ReloadedService = ReturnType<typeof createReloadedService>;

/**
 * The service `board` on a cluster with one node, in memory: its Deployment and pods, the node's images, and the files
 * in the containers' volumes.
 */
export function createReloadedService({
  image: first = 'wealist.local/board:1',
  pods: names = ['board-a'],
  volumes = ['/app'],
}: ReloadedServiceOptions = {}) {
  const place = { namespace, name: 'board' };
  const images = new Map<string, { readonly manifest: Digest; readonly id: Digest }>();
  /** Copied files by path, by folder on the node. */
  const folders = new Map<string, Map<string, string>>();
  const requests: string[] = [];
  const puts: (readonly string[])[] = [];
  const commands: (readonly string[])[] = [];
  const restarts: string[] = [];
  const watches = new Set<PassThrough>();
  let started = 0;
  const startPod = (name: string, image: string): FakePod => {
    started += 1;
    return { name, image, containerID: `containerd://run-${started}`, annotations: {} };
  };
  let pods = names.map((name) => startPod(name, first));

  const fake = {
    /** Number of pods of the previous revision that are not terminating. */
    old: 0,
    /** The response of a pod's program, by the content of its file. */
    say: (content: string): ProgramStatus | ApiFailure => ({ program: hashContent(Buffer.from(content)) }),
    /** Runs a command of `then`; throws for one that fails. */
    exec: async (_argv: readonly string[], _onLine: (line: string) => void) => {},
    /** Starts a container on the node; resolves when it is let go. */
    start: async (_id: string) => {},
    /** Whether its program can be restarted in its container. */
    isRestartable: true,
    /** Whether its containers run. */
    isRunning: true,
    /** Called before and after files are copied into a container. */
    beforePut: async () => {},
    afterPut: async () => {},
  };

  const toMount = (containerID: string, folder: string) => `/volumes/${containerID.slice(-5)}${folder}`;
  const filesOf = (pod: FakePod, folder: string) => folders.get(toMount(pod.containerID, folder));
  const getPod = (name: string) => {
    const pod = pods.find((each) => each.name === name);
    if (!pod) throw new ApiFailure(`pods "${name}" not found`, { status: 404 });
    return pod;
  };

  const toDeployment = () => {
    const count = pods.length;
    const status = { replicas: count + fake.old, updatedReplicas: count };
    const [deployment, ...sets] = makeDeployment(place.name, {
      replicas: count,
      status: { ...status, readyReplicas: count, availableReplicas: count + fake.old },
    });
    const template = { spec: { containers: [{ name: place.name, image: pods[0]?.image ?? first }] } };
    return { deployment: { ...deployment, spec: { ...deployment.spec, template } }, sets };
  };
  const toPod = ({ name, image, containerID, annotations }: FakePod) => {
    const pod = makePod(name, `${place.name}-2`, {
      spec: { containers: [{ name: place.name, image }] },
      conditions: ready,
      labels: { 'app.kubernetes.io/name': place.name, 'app.kubernetes.io/part-of': 'wealist' },
      containerStatuses: makeStatus({
        ...{ name: place.name, containerID, ready: fake.isRunning },
        state: fake.isRunning ? { running: { startedAt: '' } } : { waiting: { reason: 'CrashLoopBackOff' } },
        imageID: images.get(image)?.id ?? `sha256:${image}`,
      }),
    });
    return { ...pod, metadata: { ...pod.metadata, annotations } };
  };
  const toSlice = () => ({
    metadata: { name: place.name, namespace, uid: 'slice', creationTimestamp: '' },
    endpoints: pods.map(({ name }) => ({ conditions: { ready: true }, targetRef: { name } })),
  });

  /** Tells the watches of its pods that they have changed, as an API server ends a watch: they list them again. */
  const notify = () => {
    for (const watch of watches) watch.end();
    watches.clear();
  };

  const api: Pick<ApiServer, 'get' | 'patch' | 'open'> = {
    async open(_path, signal) {
      const watch = new PassThrough();
      watches.add(watch);
      signal.addEventListener('abort', () => watch.destroy(new ApiFailure('aborted')));
      return watch;
    },
    async get<T>(path: string, signal: AbortSignal): Promise<T> {
      signal.throwIfAborted();
      requests.push(path);
      const [plain = ''] = path.split('?');
      const [, asking] = /\/pods\/([^/:]+):8080\/proxy\/health\/program$/.exec(plain) ?? [];
      if (asking !== undefined) {
        const status = fake.say(filesOf(getPod(asking), '/app')?.get('main.js') ?? '');
        if (status instanceof ApiFailure) throw status;
        return status as T;
      }
      const { deployment, sets } = toDeployment();
      const items: Readonly<Record<string, readonly object[]>> = {
        replicasets: sets,
        pods: pods.map(toPod),
        endpointslices: [toSlice()],
      };
      const kind = plain.split('/').at(-1) ?? '';
      const [, one] = /\/pods\/([^/]+)$/.exec(plain) ?? [];
      if (one !== undefined) return structuredClone(toPod(getPod(one))) as T;
      const list = { metadata: { resourceVersion: '1' }, items: items[kind] };
      return structuredClone(kind === place.name ? deployment : list) as T;
    },
    async patch<T>(path: string, change: object, signal: AbortSignal): Promise<T> {
      signal.throwIfAborted();
      const [plain = ''] = path.split('?');
      const name = plain.split('/').at(-1) ?? '';
      if (plain.includes('/deployments/')) {
        const { spec } = change as {
          spec: { template: { spec: { containers: { image: string }[] } } };
        };
        const image = spec.template.spec.containers[0]?.image ?? '';
        pods = pods.map((_, at) => startPod(`board-${started}-${at}`, image));
        notify();
        return {} as T;
      }
      const pod = getPod(name);
      const { annotations } = (change as { metadata: { annotations: Record<string, string | null> } })
        .metadata;
      const all: Record<string, string | null> = { ...pod.annotations, ...annotations };
      const kept = Object.entries(all).filter((each): each is [string, string] => each[1] !== null);
      pod.annotations = Object.fromEntries(kept);
      return {} as T;
    },
  };

  const toDigests = () => new Map([...images].map(([name, { manifest }]) => [name, manifest]));

  async function importImages(archive: Readable) {
    const blobs = new Map((await readFiles(archive)).map(({ path, content }) => [path, content]));
    const { manifests } = JSON.parse(blobs.get('index.json') ?? '') as {
      manifests: { digest: Digest; annotations: Record<string, string> }[];
    };
    for (const { digest, annotations } of manifests) {
      const manifest = JSON.parse(blobs.get(`blobs/${digest.replace(':', '/')}`) ?? '');
      const id = manifest.config.digest as Digest;
      images.set(annotations['io.containerd.image.name'] ?? '', { manifest: digest, id });
    }
    return toDigests();
  }

  const nodes: Omit<
    Nodes,
    'isUp' | 'findKubeletError' | 'listPrograms' | 'openInspector' | 'interruptContainer'
  > = {
    list: async (_node, query) => ({ images: selectImages(toDigests(), query), layers: new Set<Digest>() }),
    openLoad: (node, query, signal) => ({
      content: nodes.list(node, query, signal),
      importImages,
      close: () => {},
    }),
    async removeImages(_node, { references }) {
      for (const reference of references) images.delete(reference);
    },
    waitUntilUnrouted: async (_node, addresses) => void (await addresses),
    findMount: async (_node, container, folder) =>
      volumes.includes(folder) ? toMount(container, folder) : undefined,
    async changeFolder(_node, folder, { archive, changes }, signal) {
      await fake.beforePut();
      signal.throwIfAborted();
      puts.push(changes.map(({ path }) => path));
      const contents = new Map((await readFiles(archive)).map(({ path, content }) => [path, content]));
      const there = folders.get(folder) ?? new Map<string, string>();
      folders.set(folder, there);
      for (const { path, action } of changes) {
        if (action === 'remove') there.set(path, 'removed');
        else there.set(path, action.startsWith('folder:') ? action : (contents.get(path) ?? ''));
      }
      await fake.afterPut();
    },
    async holdStarts(_node, { names, signal, onStart }) {
      fake.start = async (id) => onStart(names[0] ?? '', id);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    async execInContainer(_node, _container, argv, { onLine = () => {} }) {
      commands.push(argv);
      await fake.exec(argv, onLine);
    },
    async restartProgram(_node, container) {
      restarts.push(container);
      return fake.isRestartable;
    },
  };

  return Object.assign(fake, {
    place,
    api: api as ApiServer,
    nodes: nodes as Nodes,
    images,
    /** The request paths of the API server. */
    requests,
    /** The paths of each change of a folder, in order. */
    puts,
    /** The commands that were run in its containers, and the IDs of containers whose program was restarted. */
    commands,
    restarts,
    notify,
    pods: () => pods,
    /** What was changed in a container: content, `removed`, `folder:755`. */
    filesIn: (pod: string, folder = '/app') => Object.fromEntries(filesOf(getPod(pod), folder) ?? []),
    mark(pod: string): unknown {
      const text = getPod(pod).annotations['wealist.local/live'];
      return text === undefined ? undefined : JSON.parse(text);
    },
    /** Restarts the container with the files of its image. */
    restart(name: string): void {
      const pod = getPod(name);
      pod.containerID = startPod(name, pod.image).containerID;
      notify();
    },
    /** Rolls out this image, like another client would. */
    setImage(image: string): void {
      for (const pod of pods) pod.image = image;
    },
    /** Adds an image to the node. */
    addImage(reference: string, config: string): void {
      images.set(reference, { manifest: digestOf(`manifest of ${config}`), id: digestOf(config) });
    },
    scale(count: number): void {
      const more = Array.from({ length: count }, (_, at) => startPod(`board-${at}`, pods[0]?.image ?? first));
      pods = [...pods, ...more.slice(pods.length)].slice(0, count);
      notify();
    },
  });
}

async function readFiles(archive: Readable) {
  const files: { readonly path: string; readonly content: string }[] = [];
  for await (const entry of readTar(archive)) {
    const content = (await buffer(entry)).toString();
    files.push({
      path: entry.header.name,
      content: entry.header.type === 'symlink' ? `-> ${entry.header.linkname}` : content,
    });
  }
  return files;
}
