import { addAbortSignal, type Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { toBytes } from '../../lib/bytes.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Digest } from '../../lib/oci.ts';
import { type DockerEvent, messageOf, readEvents } from '../docker/responses.ts';
import type { Exec } from '../exec.ts';
import { findRegistryLogin } from './login.ts';

export interface PullOptions {
  readonly signal: AbortSignal;
  /** One line of progress: what is downloaded of what is known so far. */
  readonly report: (line: string) => void;
  /** `linux/arm64`; the engine's own by default. */
  readonly platform?: string;
}

/**
 * Why an image could not be pulled. `unreachable`: the registry did not respond, or with a server error, so the
 * image may be had in another way. `not-found` and `platform`: it responded, and has no such image.
 */
export type PullProblem =
  | 'unreachable'
  | 'not-found'
  | 'platform'
  | 'unauthorized'
  | 'rate-limited'
  | 'certificate'
  | 'disk'
  | 'other';

export class PullFailure extends Failure {
  readonly problem: PullProblem;
  readonly image: string;
  /** Host and port of the registry that was asked. */
  readonly registry: string;

  constructor(image: string, cause: unknown) {
    const registry = registryOf(image);
    const problem = toProblem(messageOf(cause));
    super(describe(problem, image, registry), {
      cause: new Error(messageOf(cause)),
      hint: hintFor(problem, image, registry),
      exitCode: problem === 'disk' ? exitCodes.host : exitCodes.image,
    });
    this.problem = problem;
    this.image = image;
    this.registry = registry;
  }
}

/** Pulls an image by its name with tag or digest. @throws {PullFailure} */
export async function pullImage(
  api: Dockerode,
  exec: Exec,
  name: string,
  { signal, report, platform }: PullOptions,
): Promise<void> {
  const login = await findRegistryLogin(registryOf(name), exec);
  const query = { fromImage: name, ...(platform === undefined ? {} : { platform }), abortSignal: signal };
  const progress = createProgress();
  try {
    const answer = (await api.createImage(login ?? {}, query)) as Readable;
    for await (const event of readEvents(addAbortSignal(signal, answer))) {
      const line = progress(event);
      if (line !== undefined) report(line);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new PullFailure(name, error);
  }
}

/** The digest that the registry has under the image's tag now; nothing is downloaded. @throws {PullFailure} */
export async function getRemoteDigest(api: Dockerode, exec: Exec, name: string): Promise<Digest> {
  const authconfig = (await findRegistryLogin(registryOf(name), exec)) ?? {};
  try {
    const { Descriptor } = await api.getImage(name).distribution({ authconfig });
    return Descriptor.digest as Digest;
  } catch (error) {
    throw new PullFailure(name, error);
  }
}

/** Host and port of the registry that an image name stands for. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? first : 'docker.io';
}

/** The problem that the engine's message reports: those of Docker 20.10 to 28 and of containerd's resolver are known. */
export function toProblem(message: string): PullProblem {
  return problems.find(({ pattern }) => pattern.test(message))?.problem ?? 'other';
}

// The first match wins: "denied" is also reported for a missing image, and a proxy's page may contain any word.
const problems: readonly { readonly problem: PullProblem; readonly pattern: RegExp }[] = [
  { problem: 'disk', pattern: /no space left on device|disk quota exceeded/i },
  { problem: 'rate-limited', pattern: /toomanyrequests|too many requests|rate limit|\b429\b/i },
  { problem: 'certificate', pattern: /x509:|certificate (?:signed by unknown|has expired|is not valid)/i },
  {
    problem: 'platform',
    pattern: /no matching manifest|does not match the (?:specified|detected) platform/i,
  },
  {
    problem: 'not-found',
    pattern:
      /manifest unknown|name unknown|repository does not exist|repository name not known|: not found|not found: /i,
  },
  {
    problem: 'unauthorized',
    pattern:
      /unauthorized|authentication required|no basic auth credentials|access (?:to the resource )?is denied|\b40[13]\b/i,
  },
  {
    problem: 'unreachable',
    pattern:
      /no such host|server misbehaving|connection (?:refused|reset)|network is unreachable|no route to host|i\/o timeout|timeout exceeded|timed out|deadline exceeded|request canceled|handshake|proxyconnect|\bEOF\b|server gave HTTP response|unexpected (?:HTTP )?status[^\n]*\b5\d\d\b/i,
  },
];

function describe(problem: PullProblem, image: string, registry: string): string {
  switch (problem) {
    case 'unreachable':
      return `registry ${registry} cannot be reached for ${image}`;
    case 'not-found':
      return `registry ${registry} has no image ${image}`;
    case 'platform':
      return `registry ${registry} has ${image}, but not for this machine's architecture`;
    case 'unauthorized':
      return `registry ${registry} requires a login for ${image}`;
    case 'rate-limited':
      return `registry ${registry} refuses ${image}: pull rate limit reached`;
    case 'certificate':
      return `this machine does not trust the certificate of registry ${registry}`;
    case 'disk':
      return `no space left on the engine's disk for ${image}`;
    case 'other':
      return `${image} was not pulled from ${registry}`;
  }
}

function hintFor(problem: PullProblem, image: string, registry: string): string {
  switch (problem) {
    case 'unauthorized':
    case 'rate-limited':
      return registry === 'docker.io' ? 'docker login' : `docker login ${registry}`;
    case 'disk':
      return 'npm run images -- prune';
    default:
      return `docker pull ${image}`;
  }
}

/** Sums the layers' downloads; a layer's size is known once its download begins. */
function createProgress(): (event: DockerEvent) => string | undefined {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  return ({ id, status, progressDetail }) => {
    if (id === undefined) return undefined;
    if (status === 'Extracting') return `unpacking layer ${id}`;
    if (status === 'Downloading' && progressDetail?.total) {
      layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
    } else if (status === 'Download complete') {
      const total = layers.get(id)?.total;
      if (total !== undefined) layers.set(id, { current: total, total });
    } else return undefined;
    const sum = (part: 'current' | 'total') =>
      [...layers.values()].reduce((all, layer) => all + layer[part], 0);
    return layers.size === 0 ? undefined : `${toBytes(sum('current'))} of ${toBytes(sum('total'))}`;
  };
}
