import { Failure } from '../../lib/failure.ts';
import { ApiFailure, type ApiReader, type ApiServer } from './api-server.ts';

export interface FollowApiOptions {
  /** Milliseconds between two looks at the kubeconfig while a request is open. */
  readonly interval?: number;
  /** Called when requests go to another cluster from now on. */
  readonly onChange?: () => void;
}

/**
 * An API server for commands that run for long: requests go to the cluster that the kubeconfig names at the time, with
 * its certificates. Requests that are open when the cluster is removed or recreated fail like lost connections, so that
 * their callers send them again. All failures are `ApiFailure`.
 * @throws {Failure} as `open` does, when there is no cluster at the start.
 */
export async function followApi(
  open: () => Promise<ApiServer>,
  options?: FollowApiOptions,
): Promise<ApiServer>;
export async function followApi(
  open: () => Promise<ApiReader>,
  options?: FollowApiOptions,
): Promise<ApiReader>;
export async function followApi(
  open: () => Promise<ApiReader | ApiServer>,
  { interval = 500, onChange }: FollowApiOptions = {},
): Promise<ApiServer> {
  let current = await open();
  /** Ends the requests that are open, by the cluster that they were sent to. */
  const pending = new Map<() => void, ApiReader>();
  let timer: NodeJS.Timeout | undefined;

  async function find(): Promise<ApiReader | ApiServer> {
    const found = await open().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      throw new ApiFailure('the cluster was removed', { cause: error.message });
    });
    if (found === current) return found;
    current = found;
    onChange?.();
    return found;
  }

  async function look(): Promise<void> {
    const found = await find().catch(() => undefined);
    for (const [end, api] of pending) if (api !== found) end();
  }

  function add(api: ApiReader, end: () => void): () => void {
    pending.set(end, api);
    timer ??= setInterval(() => void look(), interval);
    return () => {
      pending.delete(end);
      if (pending.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }

  /** Sends a request, and aborts it with an `ApiFailure` when the cluster that it was sent to is gone. */
  async function send<T>(
    signal: AbortSignal,
    request: (api: ApiReader | ApiServer, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const api = await find();
    const gone = new AbortController();
    const remove = add(api, () => gone.abort(toGone()));
    try {
      return await request(api, AbortSignal.any([signal, gone.signal]));
    } finally {
      remove();
    }
  }

  function write<T>(
    signal: AbortSignal,
    request: (api: ApiServer, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return send(signal, async (api, combined) => {
      if (!('patch' in api)) throw new Error(`${api.server} is only read from`);
      return request(api, combined);
    });
  }

  return {
    get server() {
      return current.server;
    },
    get agent() {
      return current.agent;
    },
    get: (path, signal) => send(signal, (api, combined) => api.get(path, combined)),
    getMetadata: (path, signal) => send(signal, (api, combined) => api.getMetadata(path, combined)),
    create: (path, object, signal) => write(signal, (api, combined) => api.create(path, object, combined)),
    remove: (path, signal) => write(signal, (api, combined) => api.remove(path, combined)),
    patch: (path, change, signal) => write(signal, (api, combined) => api.patch(path, change, combined)),
    dryRun: (path, object, signal) => send(signal, (api, combined) => api.dryRun(path, object, combined)),
    async open(path, signal) {
      let api = current;
      const stream = await send(signal, (found, combined) => {
        api = found;
        return found.open(path, combined);
      });
      // The response outlives `send`: from now on it is the stream that ends.
      const remove = add(api, () => stream.destroy(toGone()));
      stream.once('close', remove);
      return stream;
    },
  };
}

function toGone(): ApiFailure {
  return new ApiFailure('the cluster was removed');
}
