/**
 * @typedef {import('./services.js').Service} Service
 * @typedef {{ name: string, kind: string, state: 'unknown' | 'up' | 'down', latency?: number, error?: string }} Dependency
 * @typedef {{ version?: string, sourceHash?: string, instance?: string, uptimeSeconds?: number, dependencies?: Dependency[] }} Description
 * @typedef {{ state: 'ready' | 'waiting' | 'silent', latency?: number, problem?: string, description: Description }} Answer
 */

/** Milliseconds until a service counts as silent. */
const patience = 4_000;
/** A service that starts holds its reply until it is ready: longer than this means that it is not. */
const readyPatience = 1_500;

/**
 * Asks one service what it is and whether it is ready. Never rejects: no answer is an answer too.
 * @param {Service} service
 * @returns {Promise<Answer>}
 */
export async function ask(service) {
  const started = performance.now();
  const [described, ready] = await Promise.all([
    get(service.description, patience).then((reply) => ({ ...reply, latency: performance.now() - started })),
    get(service.ready, readyPatience),
  ]);
  // One of the real services has no description; that it is ready says enough.
  const description = described.status === 200 && described.json ? described.json : {};
  if (ready.status === 200) return { state: 'ready', latency: described.latency, description };
  if (described.status === 200 && described.json)
    return {
      state: 'waiting',
      latency: described.latency,
      problem: toReason(ready, description),
      description,
    };
  return { state: 'silent', problem: described.problem ?? ready.problem, description: {} };
}

/**
 * @param {string} path
 * @param {number} timeout
 * @returns {Promise<{ status?: number, json?: any, problem?: string }>}
 */
async function get(path, timeout) {
  try {
    const signal = AbortSignal.timeout(timeout);
    // This page's origin, unless config.js names another.
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
      problem: late ? `No answer within ${timeout / 1000} s.` : 'The connection was refused or broke off.',
    };
  }
}

/** @param {number} status */
function explain(status) {
  if (status === 404) return 'HTTP 404: no route to it, or no such path there.';
  if (status === 502 || status === 503 || status === 504)
    return `HTTP ${status}: the ingress finds no ready pod.`;
  return `It answers with HTTP ${status}.`;
}

/**
 * @param {{ json?: { stopping?: boolean } }} ready
 * @param {Description} description
 */
function toReason(ready, description) {
  if (ready.json?.stopping) return 'It is stopping.';
  const missing = (description.dependencies ?? []).filter(
    ({ kind, state }) => kind === 'store' && state !== 'up',
  );
  if (missing.length === 0) return 'It is not ready yet.';
  return `Waits for ${missing.map(({ name }) => name).join(', ')}.`;
}
