import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { getFromSocket } from '../tools/docker/engine-socket.ts';
import { type EngineAddress, listEngineAddresses } from './engine-address.ts';
import { EngineFailure, type EngineProblem } from './engine-failure.ts';
import type { Host } from './host.ts';
import { engineGroup, parseGroups } from './new-group.ts';

/** The container engine of this machine, and the properties that a cluster depends on. */
export interface Engine {
  /** Path of its socket. */
  readonly socket: string;
  /** Where its address is from: `DOCKER_HOST`, `docker context colima`, `default socket`. */
  readonly source: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly rootless: boolean;
  readonly cgroupVersion: 1 | 2;
  /** Of the controllers that a kubelet limits pods by, those that this engine cannot use. */
  readonly missingControllers: readonly string[];
  readonly storageDriver: string;
  /** Folder of images and containers, in the file system of the engine. */
  readonly dockerRoot: string;
  /** `containerd`: image IDs are digests of manifests, and archives are OCI layouts. */
  readonly imageStore: 'classic' | 'containerd';
  /** It runs in a virtual machine, so this machine's disks, limits and networks do not apply to it. */
  readonly inVirtualMachine: boolean;
  /** `amd64`, `arm64`. */
  readonly arch: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** MTU of its default network; undefined where it is not set, which means 1500. */
  readonly mtu: number | undefined;
  /** Milliseconds its clock is ahead of this machine's; undefined where it does not report it. */
  readonly clockSkew: number | undefined;
  /** Version of the kernel that it runs on, such as `6.1.0-40-amd64`; empty where it does not report it. */
  readonly kernel: string;
  /** ID that distinguishes this engine from another at the same address; empty where it has none. */
  readonly daemonId: string;
}

export interface EngineOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the first response. */
  readonly timeout?: number;
}

/** @throws {EngineFailure} when no engine can be used, with the fix. */
export async function getEngine(
  host: Host,
  { signal, timeout = 3_000 }: EngineOptions = {},
): Promise<Engine> {
  const failures: EngineFailure[] = [];
  for (const address of await listEngineAddresses(host)) {
    const socket = toSocket(address);
    try {
      return await askEngine(host, address, socket, { signal, timeout });
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(
        error instanceof EngineFailure ? error : await toEngineFailure(error, host, address, socket, timeout),
      );
    }
  }
  // Of several failures, the most specific one is reported.
  const [first] = failures.toSorted(
    (a, b) => mostSpecific.indexOf(a.problem) - mostSpecific.indexOf(b.problem),
  );
  throw first;
}

/**
 * The engine; undefined when none is installed or it does not run, which `collectChanges` may be able to change.
 * @throws {EngineFailure} when an engine cannot be used.
 */
export async function findEngine(host: Host, options?: EngineOptions): Promise<Engine | undefined> {
  try {
    return await getEngine(host, options);
  } catch (error) {
    const isMissing =
      error instanceof EngineFailure && (error.problem === 'absent' || error.problem === 'down');
    if (isMissing) return undefined;
    throw error;
  }
}

/** The little of an engine that its version tells. */
export type EngineVersion = Pick<Engine, 'socket' | 'arch'>;

/**
 * Socket and architecture of the engine, for callers that need nothing else: its properties take longer to read than its
 * version. Undefined, and throws, as `findEngine` does.
 */
export async function findEngineVersion(
  host: Host,
  options: EngineOptions = {},
): Promise<EngineVersion | undefined> {
  const [first] = await listEngineAddresses(host);
  if (first?.url.startsWith('unix://')) {
    const socket = toSocket(first);
    const { signal, timeout = 3_000 } = options;
    try {
      const version = await getFromSocket(socket, '/version', { signal, timeout });
      return { socket, arch: z.object({ Arch: z.string() }).parse(version).Arch };
    } catch {
      signal?.throwIfAborted();
      // `findEngine` below finds out why, and tries the other addresses.
    }
  }
  return findEngine(host, options);
}

const mostSpecific: readonly EngineProblem[] = ['podman', 'broken', 'denied', 'silent', 'down', 'absent'];

function toSocket({ url, source, undo }: EngineAddress): string {
  if (url.startsWith('unix://')) return url.slice('unix://'.length);
  throw new EngineFailure('remote', `${source} names an engine that is not on this machine: ${url}`, {
    cause: "the cluster's ports and data folders would be there, not here",
    hint: undo,
  });
}

const Version = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Arch: z.string(),
  Components: z.array(z.object({ Name: z.string() })).default([]),
});
const Info = z.object({
  ID: z.string().default(''),
  Driver: z.string(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
  DockerRootDir: z.string(),
  CgroupVersion: z.string().default('1'),
  CpuCfsQuota: z.boolean().default(true),
  CPUSet: z.boolean().default(true),
  MemoryLimit: z.boolean().default(true),
  PidsLimit: z.boolean().default(true),
  SecurityOptions: z.array(z.string()).nullish(),
  OperatingSystem: z.string(),
  NCPU: z.number(),
  MemTotal: z.number(),
  SystemTime: z.string().optional(),
  KernelVersion: z.string().default(''),
});
/** Controllers, and the field that tells whether the engine can use them. */
const controllers = {
  cpu: 'CpuCfsQuota',
  cpuset: 'CPUSet',
  memory: 'MemoryLimit',
  pids: 'PidsLimit',
} as const;
const BridgeNetwork = z.object({ Options: z.record(z.string(), z.string()).nullish() });

async function askEngine(
  host: Host,
  { source, undo }: EngineAddress,
  socket: string,
  { signal, timeout }: { readonly signal: AbortSignal | undefined; readonly timeout: number },
): Promise<Engine> {
  // The first response shows that it is running; a busy engine may need longer for the others.
  const version = Version.parse(await getFromSocket(socket, '/version', { signal, timeout }));
  const slow = { signal, timeout: timeout * 5 };
  const [info, bridge] = await Promise.all([
    getFromSocket(socket, '/info', slow).then((answer) => Info.parse(answer)),
    // An engine may be set to have no default network.
    getFromSocket(socket, '/networks/bridge', slow).then(
      (answer) => BridgeNetwork.parse(answer),
      () => undefined,
    ),
  ]);
  if (version.Components.some(({ Name }) => /podman/i.test(Name))) {
    throw new EngineFailure('podman', `${source} is Podman, which is not supported`, {
      cause: "nodes are created and loaded through Docker's API, and Podman's differs",
      hint: undo ?? 'npm run doctor',
    });
  }
  const mtu = bridge?.Options?.['com.docker.network.driver.mtu'];
  return {
    socket,
    source,
    version: version.Version,
    apiVersion: version.ApiVersion,
    rootless: (info.SecurityOptions ?? []).some((option) => option.includes('rootless')),
    cgroupVersion: info.CgroupVersion === '2' ? 2 : 1,
    missingControllers: Object.entries(controllers).flatMap(([name, field]) => (info[field] ? [] : [name])),
    storageDriver: info.Driver,
    dockerRoot: info.DockerRootDir,
    imageStore: (info.DriverStatus ?? []).some(([, value]) => value?.startsWith('io.containerd.snapshotter'))
      ? 'containerd'
      : 'classic',
    inVirtualMachine: host.platform === 'darwin' || info.OperatingSystem === 'Docker Desktop',
    arch: version.Arch,
    cpus: info.NCPU,
    memory: info.MemTotal,
    mtu: mtu === undefined ? undefined : Number(mtu),
    clockSkew: info.SystemTime === undefined ? undefined : Date.parse(info.SystemTime) - Date.now(),
    kernel: info.KernelVersion,
    daemonId: info.ID,
  };
}

async function toEngineFailure(
  error: unknown,
  host: Host,
  address: EngineAddress,
  socket: string,
  timeout: number,
): Promise<EngineFailure> {
  const where = `${socket} (${address.source})`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return new EngineFailure('denied', `user ${host.user} may not use the container engine at ${where}`, {
        cause: error,
        hint: await accessCommand(host),
      });
    case 'ETIMEDOUT':
      return new EngineFailure(
        'silent',
        `the container engine at ${where} did not respond in ${timeout / 1000} s`,
        {
          cause: error,
          hint: host.hasSystemd ? 'sudo systemctl restart docker' : 'restart the container engine',
        },
      );
    case 'ENOENT':
    case 'ECONNREFUSED':
      // A user who has configured an address has an engine.
      return host.dockerd !== undefined || address.undo !== undefined
        ? new EngineFailure('down', `the container engine at ${where} is not running`, {
            cause: error,
            hint: startCommand(host, address, socket),
          })
        : new EngineFailure('absent', 'no container engine is installed', {
            cause: error,
            hint: 'npm run doctor -- --fix',
          });
    default:
      return new EngineFailure('broken', `unsupported container engine at ${where}`, {
        cause: error,
        hint: `curl --unix-socket ${socket} http://docker/version`,
      });
  }
}

/** A new group applies from the next login; `sg` applies it at once. */
async function accessCommand({ root, user }: Host): Promise<string> {
  const groups = parseGroups(await readFile(join(root, 'etc/group'), 'utf8').catch(() => ''));
  const isMember = groups.some(({ name, members }) => name === engineGroup && members.includes(user));
  const membership = isMember ? '' : `sudo usermod -aG docker ${user} && `;
  return `${membership}sg docker -c "npm run up"`;
}

/** The command that starts an engine that is not running. */
function startCommand(host: Host, { context }: EngineAddress, socket: string): string {
  if (context?.startsWith('colima')) return 'colima start';
  if (context === 'orbstack') return 'orb start';
  if (host.platform === 'darwin') return 'open -a Docker';
  if (context?.startsWith('desktop')) return 'systemctl --user start docker-desktop';
  if (socket.startsWith('/run/user/')) return 'systemctl --user start docker';
  return host.hasSystemd ? 'sudo systemctl start docker' : 'sudo service docker start';
}
