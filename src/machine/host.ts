import { access, constants, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What this machine is, as far as finding, installing and starting a container engine depends on it. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** As a person says it: `Debian GNU/Linux 12 (bookworm)`, `macOS`. */
  readonly name: string;
  /** Debian's family: `apt-get` is there and `os-release` names debian or ubuntu. */
  readonly hasApt: boolean;
  /** systemd runs as the first process, so units can be started. */
  readonly hasSystemd: boolean;
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
  readonly isWsl: boolean;
  /** CAP_SYS_RESOURCE can be had by an engine that is started here: Docker grants it to privileged containers. */
  readonly canRaiseLimits: boolean;
}

export interface HostOptions {
  /** Folder that stands for `/`. */
  readonly root?: string;
  readonly platform?: NodeJS.Platform;
  readonly uid?: number | undefined;
  readonly searchPath?: string | undefined;
}

/** Reads what this machine is; asks no program and changes nothing. */
export async function readHost({
  root = '/',
  platform = process.platform,
  uid = process.getuid?.(),
  searchPath = process.env.PATH,
}: HostOptions = {}): Promise<Host> {
  const [release, kernel, own, first, hasSystemd, apt, sudo] = await Promise.all([
    readText(join(root, 'etc/os-release')),
    readText(join(root, 'proc/sys/kernel/osrelease')),
    readText(join(root, 'proc/self/status')),
    readText(join(root, 'proc/1/status')),
    isDirectory(join(root, 'run/systemd/system')),
    findProgram('apt-get', { searchPath }),
    findProgram('sudo', { searchPath }),
  ]);
  const fields = parseOsRelease(release);
  const family = [fields.get('ID'), ...(fields.get('ID_LIKE')?.split(' ') ?? [])];
  return {
    platform,
    name: platform === 'darwin' ? 'macOS' : (fields.get('PRETTY_NAME') ?? platform),
    hasApt: apt !== undefined && (family.includes('debian') || family.includes('ubuntu')),
    hasSystemd,
    isRoot: uid === 0,
    hasSudo: sudo !== undefined,
    isWsl: /microsoft/i.test(kernel),
    // The engine inherits from whoever starts it: systemd, or this process.
    canRaiseLimits: hasSysResource(hasSystemd ? first : own),
  };
}

/** Absolute path of a program on PATH; undefined when there is none. */
export async function findProgram(
  name: string,
  { searchPath = process.env.PATH }: { readonly searchPath?: string | undefined } = {},
): Promise<string | undefined> {
  for (const folder of (searchPath ?? '').split(delimiter)) {
    if (folder && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** True where the bounding set of a `/proc/<pid>/status` holds CAP_SYS_RESOURCE, or cannot be read. */
export function hasSysResource(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return bounding === undefined || (BigInt(`0x${bounding}`) & (1n << 24n)) !== 0n;
}

/** `KEY=value` lines of an `os-release` file. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm);
  return new Map([...lines].map(([, key = '', , value = '']) => [key, value]));
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function isDirectory(path: string): Promise<boolean> {
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
