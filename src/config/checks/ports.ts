import type { Problem } from '../problems.ts';
import { type Draft, placeText, problemAt, toBlame } from './draft.ts';

/** Ports from 1024 on that browsers and Node's fetch refuse to connect to (Fetch standard, "bad port"). */
const badPorts = new Set([
  ...[1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669],
  ...[6679, 6697, 10080],
]);

const hostPorts = ['httpPort', 'httpsPort'] as const;

/** Host ports that are reserved for the system, or that browsers refuse. */
export function findUnfitHostPorts(draft: Draft): readonly Problem[] {
  return hostPorts.flatMap((key) => {
    const port = draft.cluster[key];
    if (port === undefined) return [];
    if (port < 1024 && port !== 80 && port !== 443) {
      return [problemAt(draft, ['cluster', key], `got ${port}, expected 80, 443 or a port from 1024 on`)];
    }
    if (!badPorts.has(port)) return [];
    return [
      problemAt(draft, ['cluster', key], `got ${port}, expected another port: browsers refuse this one`),
    ];
  });
}

/** The same port for http and https, or the two exchanged. */
export function findMixedHostPorts(draft: Draft): readonly Problem[] {
  const { httpPort, httpsPort } = draft.cluster;
  if (httpPort === 443 && httpsPort === 80) {
    const text = `got 443, expected the port of http: httpsPort has 80 (${placeText(draft, ['cluster', 'httpsPort'])})`;
    return [problemAt(draft, ['cluster', 'httpPort'], text)];
  }
  if (httpPort === undefined || httpPort !== httpsPort) return [];
  const { fault, other } = toBlame(draft, ['cluster', 'httpPort'], ['cluster', 'httpsPort']);
  const text = `got ${httpPort}, expected a different port: ${other.at(-1)} has it (${placeText(draft, other)})`;
  return [problemAt(draft, fault, text)];
}

/** A port of two services: `forward` uses each service's port on this machine. */
export function findSharedPorts(draft: Draft): readonly Problem[] {
  return findShared(draft, 'port');
}

export function findSharedRoutes(draft: Draft): readonly Problem[] {
  return findShared(draft, 'route');
}

function findShared(draft: Draft, key: 'port' | 'route'): readonly Problem[] {
  const owners = new Map<string | number, string>();
  return [...draft.services].flatMap(([name, service]) => {
    const value = service[key];
    if (value === undefined) return [];
    const owner = owners.get(value);
    if (owner === undefined) {
      owners.set(value, name);
      return [];
    }
    const { fault, other } = toBlame(draft, ['services', owner, key], ['services', name, key]);
    const text = `got ${value}, expected a different ${key}: ${other[1]} has it (${placeText(draft, other)})`;
    return [problemAt(draft, fault, text)];
  });
}
