import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { ApiAccess } from './kubeconfig.ts';

/** The API server itself, for what stays open: watches and logs. One question to it costs no process. */
export interface ApiServer {
  readonly server: string;
  /** Holds the connections, with the certificates that they need. */
  readonly agent: HttpAgent;
  /** The answer, parsed. @throws {ApiFailure} */
  get<T>(path: string, signal: AbortSignal): Promise<T>;
  /** The answer as it comes. @throws {ApiFailure} */
  open(path: string, signal: AbortSignal): Promise<Readable>;
}

/** The API server refused, or was not there. */
export class ApiFailure extends Failure {
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(
    message: string,
    { status, cause }: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause, hint: 'npm run status', exitCode: exitCodes.cluster });
    this.name = 'ApiFailure';
    this.status = status;
  }
}

const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
]);

/** Whether an answer, or the rest of it, was refused or lost on its way: no bug of this program. */
export function isConnectionLost(error: unknown): boolean {
  return (
    error instanceof ApiFailure ||
    (error instanceof Error && 'code' in error && lostCodes.has(String(error.code)))
  );
}

/** Milliseconds until the first byte of an answer. */
const patience = 10_000;

export function createApiServer({ server, ...certificates }: ApiAccess): ApiServer {
  const isPlain = server.startsWith('http:');
  const agent = isPlain
    ? new HttpAgent({ keepAlive: true })
    : new HttpsAgent({ keepAlive: true, ...certificates });
  const get = isPlain ? httpGet : httpsGet;

  async function open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(`${server}${path}`, { agent, signal }, resolve);
      // Not the socket's own time-out, which begins when TLS has agreed.
      const late = setTimeout(
        () => request.destroy(new Error(`no answer in ${patience / 1000} s`)),
        patience,
      );
      request.on('response', () => clearTimeout(late));
      request.on('error', (error) => {
        clearTimeout(late);
        reject(error);
      });
    }).catch((error: Error) => {
      signal.throwIfAborted();
      throw new ApiFailure('the cluster does not answer', { cause: error.message });
    });
    const { statusCode: status = 0 } = response;
    if (status < 300) return response;
    throw new ApiFailure(toMessage(await text(response)) ?? `the cluster answered ${status}`, { status });
  }

  return {
    server,
    agent,
    open,
    async get(path, signal) {
      return JSON.parse(await text(await open(path, signal)));
    },
  };
}

/** What a refusal says: Kubernetes' own ones are objects of kind Status. */
function toMessage(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body);
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
