import type { Dispatcher } from 'undici';

/** What every program takes as an address of this machine, whatever NO_PROXY says. */
const loopback = ['127.0.0.1', 'localhost'];

/** The proxy for this address: `https_proxy` or `http_proxy`, unless `no_proxy` names its host or a domain above. */
export function findProxy({ protocol, hostname }: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const proxy = findAddress(protocol === 'https:' ? 'https' : 'http', env);
  const exceptions = listExceptions(env).map((entry) => entry.replace(/^\*?\./, ''));
  const isException = exceptions.some(
    (entry) => entry === '*' || hostname === entry || hostname.endsWith(`.${entry}`),
  );
  return isException ? undefined : proxy;
}

/**
 * Environment variables for programs that this one starts, so that no proxy gets their requests to this machine: Go's
 * programs never send them there, others do. Empty where no proxy is set.
 */
export function keepLoopbackDirect(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const isProxied = ['http', 'https'].some((scheme) => findAddress(scheme, env) !== undefined);
  if (!isProxied) return {};
  const noProxy = withLoopback(env);
  // Which of the two spellings a program reads, and which it prefers, differs.
  return { no_proxy: noProxy, NO_PROXY: noProxy };
}

/** Milliseconds without any data after which a response counts as broken off. */
const stallTimeout = 60_000;

/**
 * Sends requests as the environment says: through HTTPS_PROXY or HTTP_PROXY, except to the hosts of NO_PROXY and to this
 * machine. The CA certificates are Node's and those of NODE_EXTRA_CA_CERTS. To be destroyed after use.
 */
export async function openDispatcher(env: NodeJS.ProcessEnv, stall = stallTimeout): Promise<Dispatcher> {
  // Loaded here, because most commands download nothing.
  const { EnvHttpProxyAgent } = await import('undici');
  const [http, https] = [findAddress('http', env), findAddress('https', env)];
  return new EnvHttpProxyAgent({
    httpProxy: http?.href ?? '',
    httpsProxy: https?.href ?? '',
    noProxy: withLoopback(env),
    // Proxies often refuse a tunnel to anything but port 443.
    proxyTunnel: false,
    bodyTimeout: stall,
  });
}

/** A proxy's answer instead of the server's; undefined for any other error. */
export function toProxyProblem(error: unknown): string | undefined {
  const status = /Proxy response \((\d+)\)|Proxy Authentication Required \((\d+)\)/.exec(String(error));
  return status ? `the proxy responded with status ${status[1] ?? status[2]}` : undefined;
}

/** Invalid ones count as none, as for npm. */
function findAddress(scheme: string, env: NodeJS.ProcessEnv): URL | undefined {
  const value = env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`];
  if (!value) return undefined;
  const address = value.includes('://') ? value : `http://${value}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

function listExceptions(env: NodeJS.ProcessEnv): readonly string[] {
  return (env.no_proxy || env.NO_PROXY || '').split(/[,\s]+/).filter(Boolean);
}

function withLoopback(env: NodeJS.ProcessEnv): string {
  const exceptions = listExceptions(env);
  if (exceptions.includes('*')) return '*';
  return [...new Set([...exceptions, ...loopback])].join(',');
}
