import { request } from 'node:http';

/**
 * Requests a URL of this machine and resolves to the HTTP status without reading the body. Names below `localhost` mean
 * 127.0.0.1 (RFC 6761), which browsers know and not every resolver.
 * @throws {Error} with the system's reason when no server responds.
 */
export function requestStatus(url: string, { signal }: { readonly signal: AbortSignal }): Promise<number> {
  const { hostname, port, pathname, search, host } = new URL(url);
  const address = hostname.endsWith('.localhost') ? '127.0.0.1' : hostname;
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: `${pathname}${search}`, headers: { host }, signal };
    const sent = request(options, (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject).end();
  });
}
