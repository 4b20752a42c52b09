import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { findMessage } from '../../lib/error-body.ts';
import { Failure } from '../../lib/failure.ts';
import { findRule } from '../failure-rules.ts';
import { apiFailures, isRestarting, notReachable, toServerError } from './api-failures.ts';
import type { ApiAccess } from './kubeconfig.ts';
import type { Metadata } from './objects.ts';

/** Requests to the API server without kubectl, which is too slow to start, or cannot keep them open: watches and logs. */
export interface ApiServer {
  readonly server: string;
  /** Keeps the connections open, with the certificates that they need. */
  readonly agent: HttpAgent;
  /** The response, parsed. @throws {ApiFailure} */
  get<T>(path: string, signal: AbortSignal): Promise<T>;
  /** The metadata of a list's objects; nothing else is sent. @throws {ApiFailure} */
  getMetadata(path: string, signal: AbortSignal): Promise<readonly Named[]>;
  /** The response as a stream. @throws {ApiFailure} */
  open(path: string, signal: AbortSignal): Promise<Readable>;
  /** Changes an object by a strategic merge patch; resolves to the result. @throws {ApiFailure} */
  patch<T>(path: string, object: object, signal: AbortSignal): Promise<T>;
  /** Creates an object in a collection; false when one of its name exists. @throws {ApiFailure} */
  create(path: string, object: object, signal: AbortSignal): Promise<boolean>;
  /** Deletes an object, if it exists. @throws {ApiFailure} */
  remove(path: string, signal: AbortSignal): Promise<void>;
  /**
   * A server-side dry run: the object as it would be after an apply, with its defaults and the changes of admission;
   * nothing is changed. `path` is the object's. @throws {ApiFailure}
   */
  dryRun<T>(path: string, object: object, signal: AbortSignal): Promise<T>;
}

/** The requests that change nothing: all that is available for a remote cluster. */
export type ApiReader = Omit<ApiServer, 'patch' | 'create' | 'remove'>;

/** The API server rejected a request, or did not respond. Exit code and hint are those of the same failure of kubectl. */
export class ApiFailure extends Failure {
  /** The HTTP status; undefined when there was no response. */
  readonly status: number | undefined;
  /** The server is gone for the moment, or has just started. */
  readonly isRestarting: boolean;

  constructor(
    message: string,
    { status, cause }: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    const text = [message, ...(cause === undefined ? [] : [String(cause)])].join(': ');
    const said = status === undefined ? text : toServerError(status, text);
    const rule = findRule(apiFailures.rules, said);
    super(message, {
      cause,
      hint: rule?.hint ?? apiFailures.hint,
      exitCode: rule?.exitCode ?? apiFailures.exitCode,
    });
    this.name = 'ApiFailure';
    this.status = status;
    this.isRestarting = isRestarting(said);
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

/** Whether a request was rejected, or its response lost on the way: not a bug of this program. */
export function isConnectionLost(error: unknown): boolean {
  return (
    error instanceof ApiFailure ||
    (error instanceof Error && 'code' in error && lostCodes.has(String(error.code)))
  );
}

interface Named {
  readonly metadata: Metadata;
}

interface Write {
  readonly method: 'POST' | 'PATCH';
  readonly type: `application/${'json' | 'strategic-merge-patch+json' | 'apply-patch+yaml'}`;
  readonly object: object;
}

type Change = Write | { readonly method: 'DELETE' };

const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface ApiServerOptions {
  /** Milliseconds without a byte of a response; a stream that `open` returns may be silent for longer. */
  readonly timeout?: number;
}

/** Forces ownership of every field, so that other field managers do not conflict; rejects unknown fields. */
const dryRunQuery = 'dryRun=All&fieldManager=wealist-plan&force=true&fieldValidation=Strict';

export function createApiServer(
  { server, authorize, ...certificates }: ApiAccess,
  { timeout = 10_000 }: ApiServerOptions = {},
): ApiServer {
  const isPlain = server.startsWith('http:');
  const agent = isPlain
    ? new HttpAgent({ keepAlive: true })
    : new HttpsAgent({ keepAlive: true, ...certificates });
  const request = isPlain ? httpRequest : httpsRequest;

  async function send(
    path: string,
    signal: AbortSignal,
    { change, accept }: { readonly change?: Change; readonly accept?: string } = {},
  ): Promise<IncomingMessage> {
    const token = await authorize?.(signal);
    const body = change && 'object' in change ? change : undefined;
    const headers = {
      ...(accept !== undefined && { accept }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': body.type }),
    };
    const method = change?.method ?? 'GET';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(`${server}${path}`, { agent, signal, method, headers }, resolve);
      // Not the socket's own timeout, which starts only after the TLS handshake.
      const timer = setTimeout(() => sent.destroy(new Error(`no response in ${timeout / 1000} s`)), timeout);
      sent.on('response', () => clearTimeout(timer));
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      sent.end(body && JSON.stringify(body.object));
    }).catch((error: Error) => {
      signal.throwIfAborted();
      const rule = findRule(apiFailures.rules, error.message);
      throw new ApiFailure(rule?.message ?? notReachable, { cause: error.message });
    });
    const { statusCode: status = 0 } = response;
    if (status < 300) return response;
    throw new ApiFailure(
      findMessage(await readText(response, signal)) ?? `the cluster responded with status ${status}`,
      {
        status,
      },
    );
  }

  async function readText(response: IncomingMessage, signal: AbortSignal): Promise<string> {
    const timer = setTimeout(() => response.destroy(new Error(`no data for ${timeout / 1000} s`)), timeout);
    let body = '';
    try {
      for await (const part of response.setEncoding('utf8')) {
        body += part;
        timer.refresh();
      }
      return body;
    } catch (error) {
      signal.throwIfAborted();
      throw new ApiFailure(notReachable, { cause: error instanceof Error ? error.message : error });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    server,
    agent,
    open: (path, signal) => send(path, signal),
    async dryRun(path, object, signal) {
      const change = { method: 'PATCH', type: 'application/apply-patch+yaml', object } as const;
      return JSON.parse(await readText(await send(`${path}?${dryRunQuery}`, signal, { change }), signal));
    },
    async get(path, signal) {
      return JSON.parse(await readText(await send(path, signal), signal));
    },
    async getMetadata(path, signal) {
      const response = await send(path, signal, { accept: metadataOnly });
      const { items } = JSON.parse(await readText(response, signal));
      // In this form an empty list is null.
      return items ?? [];
    },
    async patch(path, object, signal) {
      const change = { method: 'PATCH', type: 'application/strategic-merge-patch+json', object } as const;
      return JSON.parse(await readText(await send(path, signal, { change }), signal));
    },
    async create(path, object, signal) {
      try {
        const change = { method: 'POST', type: 'application/json', object } as const;
        await readText(await send(path, signal, { change }), signal);
        return true;
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 409) return false;
        throw error;
      }
    },
    async remove(path, signal) {
      try {
        await readText(await send(path, signal, { change: { method: 'DELETE' } }), signal);
      } catch (error) {
        if (!(error instanceof ApiFailure && error.status === 404)) throw error;
      }
    },
  };
}
