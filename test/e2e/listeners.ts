import { readFile } from 'node:fs/promises';

/** TCP sockets of this machine that accept connections from other machines, as `address:port` in hexadecimal. */
export async function listOpenListeners(): Promise<readonly string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map(([, address = '']) => address)
    .filter((address) => !isLoopback(address))
    .toSorted();
}

/** 127.0.0.0/8 or ::1, each 32 bits in the byte order of this machine, which is little-endian. */
function isLoopback(address: string): boolean {
  return (
    /^[0-9A-F]{6}7F:/.test(address) ||
    /^0{24}01000000:/.test(address) ||
    /^0{16}FFFF0000[0-9A-F]{6}7F:/.test(address)
  );
}
