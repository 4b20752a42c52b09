import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
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
  /**
   * What would become of an object if it were applied, its defaults and all that admission changes included; nothing
   * is changed. `path` is the object's. @throws {ApiFailure}
   */
  dryRun<T>(path: string, object: object, signal: AbortSignal): Promise<T>;
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

/** Takes over every field, so that no other owner of one is in the way; an unknown field is refused. */
const dryRunQuery = 'dryRun=All&fieldManager=wealist-plan&force=true&fieldValidation=Strict';

export function createApiServer({ server, authorize, ...certificates }: ApiAccess): ApiServer {
  const isPlain = server.startsWith('http:');
  const agent = isPlain
    ? new HttpAgent({ keepAlive: true })
    : new HttpsAgent({ keepAlive: true, ...certificates });
  const send = isPlain ? httpRequest : httpsRequest;

  async function open(path: string, signal: AbortSignal, applied?: object): Promise<IncomingMessage> {
    const token = await authorize?.(signal);
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(applied && { 'content-type': 'application/apply-patch+yaml' }),
    };
    const method = applied ? 'PATCH' : 'GET';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(`${server}${path}`, { agent, signal, method, headers }, resolve);
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
      request.end(applied && JSON.stringify(applied));
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
    open: (path, signal) => open(path, signal),
    async dryRun(path, object, signal) {
      return JSON.parse(await text(await open(`${path}?${dryRunQuery}`, signal, object)));
    },
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
