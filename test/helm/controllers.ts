import { parse } from 'yaml';
import { getManifest, type Ingress, listIngresses, type Manifest } from './manifests.ts';

/** Where a request ends: `service path`, as the service sees it; `closed`; or `nowhere`. */
export type Destination = string;
export type Controller = (host: string, path: string) => Destination;

const traefikKey = (name: string) => `traefik.ingress.kubernetes.io/router.${name}`;
const nginxKey = (name: string) => `nginx.ingress.kubernetes.io/${name}`;

interface Middleware {
  readonly stripPrefixRegex?: { readonly regex: readonly string[] };
  readonly replacePathRegex?: { readonly regex: string; readonly replacement: string };
  readonly ipAllowList?: { readonly sourceRange: readonly string[]; readonly rejectStatusCode: number };
}

/**
 * Traefik 3.6 with the settings of our chart, as far as our routes use it: element-wise prefixes, the highest priority
 * first, the length of the rule where an Ingress names none; middlewares from the file provider.
 */
export function traefik(manifests: readonly Manifest[]): Controller {
  const { middlewares } = parse(
    getManifest(manifests, 'ConfigMap', 'traefik').data?.['middlewares.yaml'] ?? '',
  ).http;
  const routers = ofClass(manifests, 'traefik').flatMap(({ metadata: { annotations = {} }, spec }) =>
    spec.rules.flatMap(({ host, http }) =>
      http.paths.map(({ path, pathType, backend }) => {
        const isPattern =
          pathType === 'ImplementationSpecific' && annotations[traefikKey('pathmatcher')] === 'PathRegexp';
        const plain = path.replace(/\/$/, '');
        const rule = isPattern ? path : `(Path("${plain}") || PathPrefix("${plain}/"))`;
        return {
          host,
          matches: (asked: string) =>
            isPattern ? new RegExp(path).test(asked) : asked === plain || asked.startsWith(`${plain}/`),
          priority: Number(annotations[traefikKey('priority')] ?? rule.length),
          middleware: toMiddleware(annotations[traefikKey('middlewares')]),
          service: backend.service.name,
        };
      }),
    ),
  );

  function toMiddleware(name: string | undefined): Middleware | undefined {
    if (name === undefined) return undefined;
    const found = middlewares[name.replace(/@file$/, '')] as Middleware | undefined;
    if (!found || !name.endsWith('@file')) throw new Error(`no middleware ${name}`);
    return found;
  }

  return (host, path) => {
    const [router] = routers
      .filter((router) => (router.host === undefined || router.host === host) && router.matches(path))
      .sort((a, b) => b.priority - a.priority);
    if (!router) return 'nowhere';
    const { stripPrefixRegex, replacePathRegex, ipAllowList } = router.middleware ?? {};
    if (ipAllowList) return 'closed';
    const seen = replacePathRegex
      ? path.replace(new RegExp(replacePathRegex.regex), replacePathRegex.replacement)
      : stripPrefixRegex
        ? path.replace(new RegExp(stripPrefixRegex.regex[0] ?? ''), '')
        : path;
    return `${router.service} ${seen || '/'}`;
  };
}

/**
 * ingress-nginx 1.15, as far as our routes use it: a host has its own rules or else those without a host; once one
 * path of a host is a regular expression all are, without regard to case, the longest first; the path is decoded.
 */
export function nginx(manifests: readonly Manifest[]): Controller {
  const locations = ofClass(manifests, 'nginx').flatMap(({ metadata: { annotations = {} }, spec }) =>
    spec.rules.flatMap(({ host, http }) =>
      http.paths.map(({ path, backend }) => ({
        ...{ host, path },
        pattern: annotations[nginxKey('use-regex')] === 'true',
        target: annotations[nginxKey('rewrite-target')],
        denied: annotations[nginxKey('denylist-source-range')] === '0.0.0.0/0,::/0',
        service: backend.service.name,
      })),
    ),
  );

  return (host, asked) => {
    const path = decodeURIComponent(asked);
    const own = locations.filter((location) => location.host === host);
    const server = own.length > 0 ? own : locations.filter((location) => location.host === undefined);
    const patterns = server.some(({ pattern }) => pattern);
    const found = [...server]
      .sort((a, b) => b.path.length - a.path.length)
      .find((location) =>
        patterns ? new RegExp(`^${location.path}`, 'i').test(path) : path.startsWith(location.path),
      );
    if (!found) return 'nowhere';
    if (found.denied) return 'closed';
    const seen = found.target ? path.replace(new RegExp(`^${found.path}`, 'i'), found.target) : path;
    return `${found.service} ${seen}`;
  };
}

function ofClass(manifests: readonly Manifest[], name: string): readonly Ingress[] {
  return listIngresses(manifests).filter(({ spec }) => spec.ingressClassName === name);
}
