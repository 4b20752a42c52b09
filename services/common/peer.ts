import { withDeadline } from './deadline.ts';
import type { Dependency } from './dependency.ts';
import { describeError } from './describe-error.ts';
import { type HttpRoute, json } from './route.ts';
import type { Settings } from './settings.ts';

/** Another of the eight services, which this one calls. */
export interface Peer extends Dependency {
  /** A GET; rejects when there is no answer, or one with a status of 500 or more. */
  ask(path: string, signal: AbortSignal): Promise<Response>;
}

/** The service `name`, at the address in its `<X>_SERVICE_URL`. */
export function peer(settings: Settings, name: string): Peer {
  const url = settings.url(`${name.replaceAll('-', '_').toUpperCase()}_URL`);

  async function ask(path: string, signal: AbortSignal): Promise<Response> {
    const response = await fetch(`${url}${path}`, { signal, redirect: 'manual' });
    if (response.status < 500) return response;
    await response.body?.cancel();
    throw new Error(`${response.status} ${response.statusText}`);
  }

  return {
    name,
    kind: 'service',
    ask,
    async probe(signal) {
      // Any answer but a failure will do: the real services have their health elsewhere than the stand-ins.
      await (await ask('/health/live', signal)).body?.cancel();
    },
    async close() {
      // fetch keeps no connection that would hold the process.
    },
  };
}

const callTimeout = 3_000;

/** `GET path` calls each peer now and says of each what came back: 200 when all answered, else 502. */
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
    return await withDeadline(callTimeout, [signal], async (limit) => {
      const response = await peer.ask('/', limit);
      const description = await readDescription(response);
      return { service: peer.name, ok: true, status: response.status, ms: toMs(), ...description };
    });
  } catch (error) {
    return { service: peer.name, ok: false, ms: toMs(), error: describeError(error) };
  }
}

/** What a stand-in says of itself at `/`; a real service has something else there, or nothing. */
async function readDescription(response: Response) {
  const body = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/json')) return {};
  const { version, sourceHash, instance } = JSON.parse(body) as Record<string, unknown>;
  return { version, sourceHash, instance };
}
