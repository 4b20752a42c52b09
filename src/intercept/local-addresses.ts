import type { Variables } from './pod-environment.ts';

/** A Service of the cluster that a port of 127.0.0.1 leads to. */
export interface LocalAddress {
  readonly name: string;
  readonly port: number;
  readonly localPort: number;
}

export interface Rewritten {
  readonly variables: Variables;
  /** Names of the variables that were changed. */
  readonly changed: readonly string[];
  /** Variables with the address of a Service that no port leads to. */
  readonly unreachable: readonly Unreachable[];
}

export interface Unreachable {
  readonly key: string;
  readonly service: string;
}

export interface RewriteOptions {
  readonly namespace: string;
  readonly addresses: readonly LocalAddress[];
  /** Names of all Services in the namespace. */
  readonly services: readonly string[];
}

/** Names of variables whose whole value is a host. `DB_USER=postgres` is none. */
const hostKey = /(^|_)(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$/;

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443 };

/**
 * The variables with each address of the cluster replaced by its port of 127.0.0.1: `http://user-service:8081/api`,
 * `postgres:5432`, `postgresql://u:p@postgres:5432/d`, `host=postgres port=5432`, and DB_HOST with DB_PORT beside it.
 */
export function rewriteAddresses(
  variables: Variables,
  { namespace, addresses, services }: RewriteOptions,
): Rewritten {
  // Names of Services and namespaces have no characters that mean something in a pattern.
  const names = services.toSorted((one, other) => other.length - one.length);
  const domain = `(?:\\.${namespace}(?:\\.svc(?:\\.cluster\\.local)?)?)?\\.?`;
  const bareHost = new RegExp(`^(${names.join('|')})${domain}$`);
  // After the beginning, `//`, `@`, `(` or a separator, so that the user name in `//postgres:password@` is not meant.
  const embedded = new RegExp(
    `(?<=^|//|[@,;(\\s])(${names.join('|')})${domain}(?::(\\d+))?(?=$|[/?,;)\\s])`,
    'g',
  );
  const keyword = new RegExp(`\\bhost=(${names.join('|')})${domain}(?=\\s|$)`);
  const find = (name: string) => addresses.find((each) => each.name === name);

  const result: Record<string, string> = { ...variables };
  const unreachable: Unreachable[] = [];
  if (services.length === 0) return { variables: result, changed: [], unreachable: [] };

  for (const [key, value] of Object.entries(variables)) {
    const host = bareHost.exec(value)?.[1];
    if (host !== undefined) {
      if (!hostKey.test(key)) continue;
      const address = find(host);
      if (!address) {
        unreachable.push({ key, service: host });
        continue;
      }
      result[key] = '127.0.0.1';
      const portKey = key.replace(/(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$/, 'PORT');
      if (variables[portKey] === String(address.port)) result[portKey] = String(address.localPort);
      continue;
    }
    const inKeywords = keyword.exec(value)?.[1];
    if (inKeywords !== undefined) {
      const address = find(inKeywords);
      if (!address) unreachable.push({ key, service: inKeywords });
      else result[key] = rewriteKeywords(value, keyword, address);
      continue;
    }
    const scheme = /^([a-z][a-z0-9+]*):\/\//.exec(value)?.[1];
    const next = value.replace(embedded, (all, name: string, port?: string) => {
      // A word without scheme and port is no address.
      if (port === undefined && scheme === undefined) return all;
      const address = find(name);
      if (!address) {
        unreachable.push({ key, service: name });
        return all;
      }
      const given = port === undefined ? defaultPorts[scheme ?? ''] : Number(port);
      return given === undefined || given === address.port ? `127.0.0.1:${address.localPort}` : all;
    });
    // A port was possibly set together with its host.
    if (next !== value) result[key] = next;
  }
  const changed = Object.keys(result).filter((key) => result[key] !== variables[key]);
  return { variables: result, changed, unreachable };
}

/** PostgreSQL's keyword form: https://www.postgresql.org/docs/17/libpq-connect.html */
function rewriteKeywords(text: string, keyword: RegExp, { port, localPort }: LocalAddress): string {
  const withHost = text.replace(keyword, 'host=127.0.0.1');
  const withPort = withHost.replace(new RegExp(`\\bport=${port}\\b`), `port=${localPort}`);
  return /\bport=/.test(withPort) || port === localPort ? withPort : `${withPort} port=${localPort}`;
}
