import { withDeadline } from './deadline.ts';
import type { Dependency } from './dependency.ts';
import { describeError } from './describe-error.ts';
import { type HttpRoute, json } from './route.ts';
import type { Settings } from './settings.ts';

/** Another service that this one calls. */
export interface Peer extends Dependency {
  /** Sends a GET request. Rejects without a response, or when the status is 500 or more. */
  get(path: string, signal: AbortSignal): Promise<Response>;
}

/** The service `name`, at the address in its `<X>_SERVICE_URL`. */
export function peer(settings: Settings, name: string): Peer {
  const url = settings.url(`${name.replaceAll('-', '_').toUpperCase()}_URL`);

  async function get(path: string, signal: AbortSignal): Promise<Response> {
    const response = await fetch(`${url}${path}`, { signal, redirect: 'manual' });
    if (response.status < 500) return response;
    await response.body?.cancel();
    throw new Error(`${response.status} ${response.statusText}`);
  }

  return {
    name,
    kind: 'service',
    get,
    async probe(signal) {
      // Any status below 500 is fine, because the real services have other health paths.
      await (await get('/health/live', signal)).body?.cancel();
    },
    async close() {
      // The connections of fetch do not keep the process running.
    },
  };
}

const timeout = 3_000;

/** `GET path` calls each peer and reports the results: 200 when all responded, else 502. */
export function callsRoute(path: string, peers: readonly Peer[]): HttpRoute {
  return {
    method: 'GET',
    path,
    async handle({ signal }) {
      const calls = await Promise.all(peers.map((peer) => call(peer, signal)));
      return json({ calls }, calls.every(({ ok }) => ok) ? 200 : 502);
    },
  };
}

async function call(peer: Peer, signal: AbortSignal) {
  const started = performance.now();
  const toMs = () => Math.round((performance.now() - started) * 10) / 10;
  try {
    return await withDeadline(timeout, [signal], async (deadline) => {
      const response = await peer.get('/', deadline);
      const description = await readDescription(response);
      return { service: peer.name, ok: true, status: response.status, ms: toMs(), ...description };
    });
  } catch (error) {
    return { service: peer.name, ok: false, ms: toMs(), error: describeError(error) };
  }
}

/** Reads the description that stand-ins serve at `/`; a real service has none. */
async function readDescription(response: Response) {
  const body = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/json')) return {};
  const { version, sourceHash, instance } = JSON.parse(body) as Record<string, unknown>;
  return { version, sourceHash, instance };
}
