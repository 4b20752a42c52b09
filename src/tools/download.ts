import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { withDeadline } from '../lib/deadline.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hashContent } from '../lib/hash.ts';
import { openDispatcher, toProxyProblem } from './proxy.ts';

/** Milliseconds until the server responds: without a network some machines wait much longer. */
const responseTimeout = 5_000;

/**
 * Downloads a file through the proxy of this process's environment, and checks it.
 * @throws {Failure} when it cannot be downloaded, exit code 3; when it does not have this SHA-256, exit code 9.
 */
export async function downloadFile(url: string, sha256: string, signal: AbortSignal): Promise<Buffer> {
  const content = await download(url, signal);
  requireChecksum(url, content, sha256);
  return content;
}

/** @throws {Failure} exit code 9 when the content, downloaded from `from`, does not have this SHA-256. */
export function requireChecksum(from: string, content: Buffer, sha256: string): void {
  const actual = hashContent(content);
  if (actual === sha256) return;
  throw new Failure(`${from} does not have the expected checksum`, {
    cause: `expected ${sha256}, got ${actual}`,
    exitCode: exitCodes.refused,
  });
}

/**
 * Downloads a file that nothing vouches for. `stall` is how many milliseconds may pass without data.
 * @throws {Failure} when it cannot be downloaded, exit code 3.
 */
export async function download(url: string, signal: AbortSignal, stall?: number): Promise<Buffer> {
  const { interceptors, request } = await import('undici');
  const connections = await openDispatcher(process.env, stall);
  // Releases on GitHub are on another host than the one that is asked.
  const dispatcher = connections.compose(interceptors.redirect({ maxRedirections: 5 }));
  try {
    const { statusCode, body } = await withDeadline({ timeout: responseTimeout, signal }, (limited) =>
      request(url, { signal: limited, dispatcher }),
    );
    if (statusCode !== 200) throw new Error(`the server responded with status ${statusCode}`);
    return await buffer(addAbortSignal(signal, body));
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure(`${url} could not be downloaded`, { ...explain(error), exitCode: exitCodes.host });
  } finally {
    await connections.destroy();
  }
}

function explain(cause: unknown): { readonly cause: unknown; readonly hint?: string } {
  const problem = toProxyProblem(cause);
  if (problem !== undefined) return { cause: problem, hint: 'env | grep -i _proxy' };
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (!/CERT|SIGNATURE|ISSUER/.test(code)) return { cause };
  return { cause, hint: certificateHint };
}

/** Also for registries and mirrors, whose certificates Node checks as well. */
export const certificateHint = 'set NODE_EXTRA_CA_CERTS to the file of the CA certificate that signs it';
