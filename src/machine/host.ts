import { access, constants, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { findHome } from '../lib/home-folder.ts';
import { type InotifyLimits, readInotify } from './inotify.ts';

/** The properties of this machine that a container engine and a cluster depend on. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** Folder that stands for `/`. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly user: string;
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
  /** Its name for the user: `Debian GNU/Linux 12 (bookworm)`, `macOS`. */
  readonly name: string;
  /** One of Debian's family, with `apt-get`. */
  readonly hasApt: boolean;
  /** systemd runs as the first process, so units can be started. */
  readonly hasSystemd: boolean;
  /** Path of an installed Docker engine's program, running or not. */
  readonly dockerd: string | undefined;
  /** An engine started here can have CAP_SYS_RESOURCE, which Docker requests for each privileged container. */
  readonly canRaiseLimits: boolean;
  /** MTU of the default route's interface; undefined where there is no such route, or not on Linux. */
  readonly mtu: number | undefined;
  readonly inotify: InotifyLimits | undefined;
  /** The lowest port that programs without root may bind. */
  readonly lowestPort: number;
}

export interface HostOptions {
  readonly root?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly home?: string;
  readonly platform?: NodeJS.Platform;
  readonly user?: string;
  readonly uid?: number | undefined;
}

/** Reads the properties of this machine; runs no program and changes nothing. */
export async function readHost({
  root = '/',
  env = process.env,
  home = findHome(),
  platform = process.platform,
  user = userInfo().username,
  uid = process.getuid?.(),
}: HostOptions = {}): Promise<Host> {
  // A user's PATH may lack the folders of system programs.
  const everywhere = [env.PATH, join(root, 'usr/sbin'), join(root, 'usr/bin')].join(delimiter);
  const [release, own, first, hasSystemd, apt, sudo, dockerd, mtu, inotify, lowest] = await Promise.all([
    readText(join(root, 'etc/os-release')),
    readText(join(root, 'proc/self/status')),
    readText(join(root, 'proc/1/status')),
    isFolder(join(root, 'run/systemd/system')),
    findProgram('apt-get', env.PATH),
    findProgram('sudo', env.PATH),
    findProgram('dockerd', everywhere),
    readMtu(root),
    readInotify(root),
    readText(join(root, 'proc/sys/net/ipv4/ip_unprivileged_port_start')),
  ]);
  const fields = parseOsRelease(release);
  const family = [fields.get('ID'), ...(fields.get('ID_LIKE')?.split(' ') ?? [])];
  return {
    platform,
    root,
    env,
    home,
    user,
    isRoot: uid === 0,
    hasSudo: sudo !== undefined,
    name: platform === 'darwin' ? 'macOS' : (fields.get('PRETTY_NAME') ?? platform),
    hasApt: apt !== undefined && (family.includes('debian') || family.includes('ubuntu')),
    hasSystemd,
    dockerd,
    // The engine inherits its capabilities from the process that starts it: systemd, or this one.
    canRaiseLimits: hasSysResource(hasSystemd ? first : own),
    mtu,
    inotify,
    lowestPort: Number(lowest) || 1024,
  };
}

/** Absolute path of a program in one of the folders of a PATH; undefined when none of them has it. */
export async function findProgram(name: string, path = ''): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** True where the bounding set of a `/proc/<pid>/status` holds CAP_SYS_RESOURCE, or cannot be read. */
export function hasSysResource(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return bounding === undefined || (BigInt(`0x${bounding}`) & (1n << 24n)) !== 0n;
}

/** The `KEY=value` lines of an `os-release` file. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm);
  return new Map([...lines].map(([, key = '', , value = '']) => [key, value]));
}

async function readMtu(root: string): Promise<number | undefined> {
  const routes = (await readText(join(root, 'proc/net/route'))).split('\n').map((line) => line.split('\t'));
  const device = routes.find(([, destination]) => destination === '00000000')?.[0];
  if (device === undefined) return undefined;
  return Number(await readText(join(root, 'sys/class/net', device, 'mtu'))) || undefined;
}

/** Empty where the file is missing, as on other systems. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
