import type * as core from 'kubernetes-types/core/v1.js';
import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';
import type { Container, DeepReadonly, Deployment } from '../tools/kubernetes/objects.ts';

export type Variables = Readonly<Record<string, string>>;

/** A file that a pod gets from a ConfigMap or Secret. */
export interface MountedFile {
  /** Absolute, in the container. */
  readonly path: string;
  readonly content: Buffer;
}

/** What a service's container gets from its Deployment. */
export interface PodEnvironment {
  /** Its environment, without what its image sets. */
  readonly variables: Variables;
  /** Names of variables that only a pod has a value for, such as its own IP address. */
  readonly podOnly: readonly string[];
  readonly files: readonly MountedFile[];
}

type Data = Readonly<Record<string, Buffer>>;
type Source = 'configmaps' | 'secrets';

/**
 * Reads what the kubelet would give the container that has the service's name.
 * @throws {ApiFailure} when a ConfigMap or Secret that is not optional does not exist, or the cluster does not respond.
 */
export async function readPodEnvironment(
  api: ApiReader,
  deployment: Deployment,
  signal: AbortSignal,
): Promise<PodEnvironment> {
  const { name: service, namespace } = deployment.metadata;
  const spec = deployment.spec.template.spec;
  const container = spec?.containers.find(({ name }) => name === service) ?? spec?.containers[0];
  if (!spec || !container) return { variables: {}, podOnly: [], files: [] };

  const objects = new Map<string, Promise<Data>>();
  const read = (source: Source, name: string, isOptional: boolean | undefined): Promise<Data> => {
    const path = `/api/v1/namespaces/${namespace}/${source}/${name}`;
    const found = objects.get(path) ?? readData(api, source, path, signal);
    objects.set(path, found);
    return isOptional ? found.catch(ignoreMissing) : found;
  };
  const [environment, files] = await Promise.all([
    readVariables(container, read),
    readFiles(spec.volumes ?? [], container, read),
  ]);
  return { ...environment, files };
}

type Read = (source: Source, name: string, isOptional: boolean | undefined) => Promise<Data>;

async function readData(api: ApiReader, source: Source, path: string, signal: AbortSignal): Promise<Data> {
  const { data = {}, binaryData = {} } = await api.get<Record<'data' | 'binaryData', Variables | undefined>>(
    path,
    signal,
  );
  const encoding = source === 'secrets' ? 'base64' : 'utf8';
  return {
    ...toBuffers(data, encoding),
    ...toBuffers(binaryData, 'base64'),
  };
}

function toBuffers(values: Variables, encoding: BufferEncoding): Data {
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, Buffer.from(text, encoding)]));
}

function ignoreMissing(error: unknown): Data {
  if (error instanceof ApiFailure && error.status === 404) return {};
  throw error;
}

async function readVariables(
  { env = [], envFrom = [] }: Container,
  read: Read,
): Promise<Pick<PodEnvironment, 'variables' | 'podOnly'>> {
  const variables: Record<string, string> = {};
  const podOnly: string[] = [];
  for (const { prefix = '', configMapRef, secretRef } of envFrom) {
    const reference = configMapRef ?? secretRef;
    if (reference?.name === undefined) continue;
    const data = await read(configMapRef ? 'configmaps' : 'secrets', reference.name, reference.optional);
    for (const [key, value] of Object.entries(data)) variables[prefix + key] = value.toString();
  }
  for (const { name, value = '', valueFrom } of env) {
    if (valueFrom?.fieldRef || valueFrom?.resourceFieldRef) {
      podOnly.push(name);
      continue;
    }
    const reference = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
    if (!reference) {
      variables[name] = expand(value, variables);
      continue;
    }
    const source = valueFrom?.secretKeyRef ? 'secrets' : 'configmaps';
    const found = (await read(source, reference.name ?? '', reference.optional))[reference.key];
    if (found !== undefined) variables[name] = found.toString();
  }
  return { variables, podOnly };
}

/** `$(NAME)` is the value of a variable before it; `$$` is `$`. Unknown names stay as they are. */
function expand(text: string, variables: Variables): string {
  return text.replace(/\$\$|\$\(([-._a-zA-Z0-9]+)\)/g, (all, name: string) =>
    all === '$$' ? '$' : (variables[name] ?? all),
  );
}

async function readFiles(
  volumes: readonly DeepReadonly<core.Volume>[],
  { volumeMounts = [] }: Container,
  read: Read,
): Promise<readonly MountedFile[]> {
  const found = await Promise.all(
    volumeMounts.map(async ({ name, mountPath, subPath }) => {
      const volume = volumes.find((each) => each.name === name);
      const files = volume ? await readVolume(volume, read) : [];
      if (subPath === undefined) return files.map((file) => ({ ...file, path: `${mountPath}/${file.path}` }));
      return files.filter(({ path }) => path === subPath).map((file) => ({ ...file, path: mountPath }));
    }),
  );
  return found.flat();
}

/** The files of a volume, with paths relative to it. */
async function readVolume(
  { configMap, secret }: DeepReadonly<core.Volume>,
  read: Read,
): Promise<readonly MountedFile[]> {
  const source = configMap ?? secret;
  const name = configMap?.name ?? secret?.secretName;
  if (!source || name === undefined) return [];
  const data = await read(configMap ? 'configmaps' : 'secrets', name, source.optional);
  const items = source.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  return items.flatMap(({ key, path }) => {
    const content = data[key];
    return content === undefined ? [] : [{ path, content }];
  });
}
