import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { openDispatcher, toProxyProblem } from '../proxy.ts';

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
  const { request } = await import('undici');
  const dispatcher = await openDispatcher(env);
  try {
    const { statusCode, headers } = await withDeadline({ timeout, signal }, (limited) =>
      request(url, { method: 'HEAD', dispatcher, signal: limited }),
    );
    const date = Date.parse(String(headers.date ?? ''));
    return { status: statusCode, date: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) throw Object.assign(new Error(error.message), { code: 'ETIMEDOUT' });
    const problem = toProxyProblem(error);
    throw problem === undefined ? error : new Error(problem, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
}
