import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';

export interface ReachOptions {
  /** The environment variables that name the proxy. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds for the response. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface ReachResult {
  readonly status: number;
  /** The server's clock, milliseconds since 1970; undefined where it does not send it. */
  readonly date: number | undefined;
}

/**
 * Sends a HEAD request to a web server, through the proxy that the environment names, as npm, Go and apt do.
 * Any response counts. Rejects with the system's error (`code`), ETIMEDOUT when there is none in time.
 */
export async function reach(url: string, { env, timeout, signal }: ReachOptions): Promise<ReachResult> {
  const target = new URL(url);
  const proxy = findProxy(target, env);
  try {
    const answer = await withDeadline({ timeout, signal }, (limited) => {
      if (proxy === undefined) {
        return send(target.protocol === 'https:' ? requestHttps : requestHttp, target, limited);
      }
      return target.protocol === 'https:'
        ? throughTunnel(target, proxy, limited)
        : sendToProxy(target, proxy, limited);
    });
    const date = Date.parse(answer.headers.date ?? '');
    return { status: answer.statusCode ?? 0, date: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) throw Object.assign(new Error(error.message), { code: 'ETIMEDOUT' });
    throw error;
  }
}

/** The proxy for this address: `https_proxy` or `http_proxy`, unless `no_proxy` names its host or a domain above. */
export function findProxy({ protocol, hostname }: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const scheme = protocol.slice(0, -1);
  const proxy = env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`];
  if (!proxy) return undefined;
  const exceptions = (env.no_proxy || env.NO_PROXY || '')
    .split(',')
    .map((entry) => entry.trim().replace(/^\*?\./, ''));
  const isException = exceptions.some(
    (entry) => entry !== '' && (entry === '*' || hostname === entry || hostname.endsWith(`.${entry}`)),
  );
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  return isException || !URL.canParse(address) ? undefined : new URL(address);
}

function send(request: typeof requestHttp, target: URL, signal: AbortSignal): Promise<IncomingMessage> {
  return responseOf(request(target, { method: 'HEAD', signal, agent: false }));
}

function sendToProxy(target: URL, proxy: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { host: target.host, ...authorization(proxy) };
  return responseOf(requestHttp(proxy, { method: 'HEAD', path: target.href, headers, signal, agent: false }));
}

async function throughTunnel(target: URL, proxy: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const path = `${target.hostname}:${target.port || 443}`;
  const tunnel = requestHttp(proxy, {
    method: 'CONNECT',
    path,
    headers: authorization(proxy),
    signal,
    agent: false,
  });
  const socket = await new Promise<Socket>((resolve, reject) => {
    tunnel.once('error', reject);
    tunnel.once('connect', ({ statusCode }, connected) => {
      if (statusCode === 200) resolve(connected);
      else reject(new Error(`the proxy ${proxy.host} responded with status ${statusCode}`));
    });
    tunnel.end();
  });
  try {
    const createConnection = () => connectTls({ socket, servername: target.hostname });
    return await responseOf(
      requestHttp(target, { protocol: 'http:', method: 'HEAD', createConnection, signal }),
    );
  } finally {
    socket.destroy();
  }
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (answer) => {
      answer.resume();
      resolve(answer);
    });
    request.end();
  });
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}
