import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Docker } from '../tools/docker/docker.ts';
import type { Exec } from '../tools/exec.ts';
import type { Host } from './host.ts';

export interface PortOwnerOptions {
  readonly host: Host;
  /** Checked first: a published port belongs to a container, whichever process listens on it. */
  readonly docker?: Docker | undefined;
  readonly exec: Exec;
  /** Looks only for a program that listens on IPv6. */
  readonly ipv6Only?: boolean;
}

/**
 * The container or process that listens on a TCP port: `container wealist-control-plane`, `nginx (PID 812)`.
 * Undefined when it cannot be found out, as with another user's process.
 */
export async function findPortOwner(
  port: number,
  { host, docker, exec, ipv6Only = false }: PortOwnerOptions,
): Promise<string | undefined> {
  const containers = (await docker?.listContainers()) ?? [];
  const container = containers.find(
    ({ ports, state }) => state === 'running' && ports.some(({ hostPort }) => hostPort === port),
  );
  if (container) return `container ${container.name}`;
  return host.platform === 'linux'
    ? findInProc(port, host.root, ipv6Only)
    : findWithLsof(port, exec, ipv6Only);
}

async function findInProc(port: number, root: string, ipv6Only: boolean): Promise<string | undefined> {
  const tables = [...(ipv6Only ? [] : ['proc/net/tcp']), 'proc/net/tcp6'].map((file) =>
    readFile(join(root, file), 'utf8').catch(() => ''),
  );
  const sockets = new Set(parseListeners((await Promise.all(tables)).join('\n'), port));
  if (sockets.size === 0) return undefined;
  const processes = (await readdir(join(root, 'proc'))).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const folder = join(root, 'proc', pid, 'fd');
    const files = await readdir(folder).catch(() => []);
    const targets = await Promise.all(files.map((file) => readlink(join(folder, file)).catch(() => '')));
    if (!targets.some((target) => sockets.has(target))) continue;
    const name = await readFile(join(root, 'proc', pid, 'comm'), 'utf8').catch(() => 'a process');
    return `${name.trim()} (PID ${pid})`;
  }
  return undefined;
}

/** `socket:[inode]` of each listener on this port in the text of /proc/net/tcp and tcp6. */
export function parseListeners(table: string, port: number): readonly string[] {
  const listening = '0A';
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(local) && state === listening)
    .map((fields) => `socket:[${fields[9]}]`);
}

async function findWithLsof(port: number, exec: Exec, ipv6Only: boolean): Promise<string | undefined> {
  const listeners = ['-nP', `-i${ipv6Only ? 6 : ''}TCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
  const { stdout } = await exec('lsof', listeners).catch(() => ({ stdout: '' }));
  const pid = /^p(\d+)$/m.exec(stdout)?.[1];
  const name = /^c(.+)$/m.exec(stdout)?.[1];
  return pid === undefined ? undefined : `${name ?? 'a process'} (PID ${pid})`;
}
