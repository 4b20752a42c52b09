import { request } from 'node:http';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { findMessage } from '../../lib/error-body.ts';

/** Where Docker listens by default. */
export const defaultSocket = '/var/run/docker.sock';

export interface SocketOptions {
  /** Milliseconds for the whole response. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One GET request to a container engine, without the library, which takes a quarter of a second to import: every command
 * starts with such a request. Rejects with the system's error (`code`), ETIMEDOUT when there is no response in time, or
 * with the engine's message and its `statusCode`.
 */
export async function getFromSocket<T>(
  socket: string,
  path: string,
  { timeout, signal }: SocketOptions,
): Promise<T> {
  try {
    return JSON.parse(await withDeadline({ timeout, signal }, (limited) => get(socket, path, limited)));
  } catch (error) {
    signal?.throwIfAborted();
    if (isTimeout(error)) throw Object.assign(new Error(error.message), { code: 'ETIMEDOUT' });
    throw error;
  }
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, signal, headers: { host: 'docker' }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode } = response;
        if (statusCode === 200) resolve(body);
        else
          reject(
            Object.assign(new Error(findMessage(body) ?? `${path} responded with status ${statusCode}`), {
              statusCode,
            }),
          );
      });
    })
      .on('error', reject)
      .end();
  });
}
