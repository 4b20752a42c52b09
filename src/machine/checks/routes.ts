import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MakeCheck } from './check.ts';

/** IPv4 addresses with the same first `length` bits. */
interface Range {
  readonly address: number;
  readonly length: number;
}

interface Route extends Range {
  readonly device: string;
}

/**
 * A route of this machine, such as that of a VPN, that takes the addresses of the nodes away from the engine's network.
 * Of two routes the longer one counts, so a wider one does no harm.
 */
export const checkRoutes: MakeCheck = async ({ host, engine, docker, signal }) => {
  if (docker === undefined || engine === undefined || engine.inVirtualMachine || engine.rootless) return [];
  const network = await docker.findNetwork('kind', { signal });
  if (network === undefined) return [];
  const routes = parseRoutes(await readFile(join(host.root, 'proc/net/route'), 'utf8').catch(() => ''));
  const id = 'routes';
  const title = 'addresses of the nodes';
  for (const subnet of network.subnets) {
    const range = parseRange(subnet);
    const taking = range && routes.find((route) => route.device !== network.device && takes(route, range));
    if (!taking) continue;
    const detail = `${toText(taking)} is routed to ${taking.device}, and ${subnet} is the network of the nodes`;
    const fix =
      'disconnect the VPN; or npm run down, docker network rm kind, then npm run up: other addresses are used';
    return [{ id, title, state: 'warn', detail, fix }];
  }
  return [{ id, title, state: 'ok', detail: `${network.subnets.join(', ')}, not routed elsewhere` }];
};

/** The routes in the text of /proc/net/route, whose numbers are in the byte order of the processor. */
function parseRoutes(table: string): readonly Route[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 7)
    .map(([device = '', destination = '', , , , , , mask = '']) => ({
      device,
      address: fromHex(destination),
      length: fromHex(mask).toString(2).replaceAll('0', '').length,
    }));
}

function fromHex(text: string): number {
  return Buffer.from(text, 'hex').readUInt32LE();
}

/** `172.18.0.0/16`; undefined for IPv6. */
function parseRange(text: string): Range | undefined {
  const [, address = '', length] = /^([\d.]+)\/(\d+)$/.exec(text) ?? [];
  if (length === undefined) return undefined;
  return { address: Buffer.from(address.split('.').map(Number)).readUInt32BE(), length: Number(length) };
}

function takes(route: Range, range: Range): boolean {
  if (route.length < range.length) return false;
  const unit = 2 ** (32 - range.length);
  return Math.floor(route.address / unit) === Math.floor(range.address / unit);
}

function toText({ address, length }: Range): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return `${bytes.join('.')}/${length}`;
}
