/**
 * @typedef {import('./services.js').Service} Service
 * @typedef {{ name: string, kind: string, state: 'unknown' | 'up' | 'down', latency?: number, error?: string }} Dependency
 * @typedef {{ version?: string, sourceHash?: string, instance?: string, uptimeSeconds?: number, dependencies?: Dependency[] }} Description
 * @typedef {{ state: 'ready' | 'waiting' | 'unreachable', latency?: number, problem?: string, description: Description }} ServiceStatus
 */

/** Milliseconds until a service counts as unreachable. */
const descriptionTimeout = 4_000;
/** Milliseconds. A service that is starting delays its readiness reply, so a longer wait means that it is not ready. */
const readyTimeout = 1_500;

/**
 * Requests description and readiness of a service. Never rejects: a failed request is a status, too.
 * @param {Service} service
 * @returns {Promise<ServiceStatus>}
 */
export async function getServiceStatus(service) {
  const started = performance.now();
  const [described, ready] = await Promise.all([
    get(service.description, descriptionTimeout).then((reply) => ({
      ...reply,
      latency: performance.now() - started,
    })),
    get(service.ready, readyTimeout),
  ]);
  // The real services have no description; their readiness is enough.
  const description = described.status === 200 && described.json ? described.json : {};
  if (ready.status === 200) return { state: 'ready', latency: described.latency, description };
  if (described.status === 200 && described.json)
    return {
      state: 'waiting',
      latency: described.latency,
      problem: toReason(ready, description),
      description,
    };
  return { state: 'unreachable', problem: described.problem ?? ready.problem, description: {} };
}

/**
 * @param {string} path
 * @param {number} timeout
 * @returns {Promise<{ status?: number, json?: any, problem?: string }>}
 */
async function get(path, timeout) {
  try {
    const signal = AbortSignal.timeout(timeout);
    // The page's own origin, unless config.js defines another.
    const base = globalThis.__ENV__?.API_BASE_URL ?? '';
    const response = await fetch(base + path, {
      signal,
      cache: 'no-store',
      headers: { accept: 'application/json' },
    });
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    const json = isJson ? await response.json() : undefined;
    return { status: response.status, json, ...(response.ok ? {} : { problem: explain(response.status) }) };
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    return {
      problem: late ? `No response within ${timeout / 1000} s.` : 'The connection was refused or lost.',
    };
  }
}

/** @param {number} status */
function explain(status) {
  if (status === 404) return 'HTTP 404: no route to the service, or the path does not exist.';
  if (status === 502 || status === 503 || status === 504)
    return `HTTP ${status}: the ingress found no ready pod.`;
  return `HTTP ${status}.`;
}

/**
 * @param {{ json?: { stopping?: boolean } }} ready
 * @param {Description} description
 */
function toReason(ready, description) {
  if (ready.json?.stopping) return 'Stopping.';
  const missing = (description.dependencies ?? []).filter(
    ({ kind, state }) => kind === 'store' && state !== 'up',
  );
  if (missing.length === 0) return 'Not ready yet.';
  return `Waiting for ${missing.map(({ name }) => name).join(', ')}.`;
}
