import { loadCatalog } from '../../config/catalog.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import type { Failure } from '../../lib/failure.ts';
import { toReference, toTagged } from '../../lib/reference.ts';
import { certificateHint } from '../../tools/download.ts';
import { findProxy } from '../../tools/proxy.ts';
import { PullFailure, registryOf } from '../../tools/registry/pull.ts';
import { type ReachResult, reach } from '../../tools/registry/reach.ts';
import { listMirrors, type Mirror } from '../mirrors.ts';
import type { CheckContext, CheckResult } from './check.ts';

const responseTimeout = 3_500;

export interface NetworkContext extends CheckContext {
  /** Used instead of the registries, as the environment configures. */
  readonly registryMirror: string | undefined;
  /** Milliseconds for each response. */
  readonly timeout?: number;
}

/** Whether images can be pulled or built: registries are checked from the engine, mirrors from this machine. */
export async function checkNetwork(context: NetworkContext): Promise<readonly CheckResult[]> {
  const { host, exec, signal } = context;
  const [registries, mirrors] = await Promise.all([
    checkRegistries(context),
    listMirrors(host, exec, signal).then((found) =>
      Promise.all(found.map((mirror) => checkMirror(mirror, context))),
    ),
  ]);
  return [
    ...registries,
    ...mirrors.map(({ check }) => check),
    ...checkServersClock(mirrors),
    ...checkProxy(context),
    ...checkOffline(
      registries,
      mirrors.map(({ check }) => check),
    ),
  ];
}

/** Requests the first image of each registry through the engine, which has its own resolver and proxy. */
async function checkRegistries(context: NetworkContext): Promise<readonly CheckResult[]> {
  const { docker, paths, registryMirror, signal, timeout = responseTimeout } = context;
  if (docker === undefined) return [];
  const catalog = Object.values(await loadCatalog(paths.checkout));
  const references = catalog.map(({ pull }) => toReference(pull)).filter((found) => found !== undefined);
  const images = references.map((reference) =>
    toTagged({ ...reference, registry: registryMirror ?? reference.registry }),
  );
  const byRegistry = new Map(images.toReversed().map((image) => [registryOf(image), image]));
  return Promise.all(
    [...byRegistry].map(async ([registry, image]): Promise<CheckResult> => {
      const id = 'registry';
      const title = `registry ${registry}`;
      try {
        await withDeadline({ timeout, signal }, (limited) =>
          docker.getRemoteDigest(image, { signal: limited }),
        );
        return { id, title, state: 'ok', detail: 'images are pulled' };
      } catch (error) {
        signal.throwIfAborted();
        const instead = 'images are built from packages';
        if (isTimeout(error)) {
          return { id, title, state: 'warn', detail: `no response in ${timeout / 1000} s: ${instead}` };
        }
        if (!(error instanceof PullFailure)) throw error;
        // The registry responded, even though it does not have this image.
        if (error.problem === 'not-found') return { id, title, state: 'ok', detail: 'reachable' };
        const detail = `${toCause(error)}: ${instead}`;
        if (error.problem === 'unreachable' || error.hint === undefined) {
          return { id, title, state: 'warn', detail };
        }
        return { id, title, state: 'warn', detail, fix: error.hint };
      }
    }),
  );
}

interface MirrorCheck {
  readonly check: CheckResult;
  readonly reached: ReachResult | undefined;
}

async function checkMirror(
  { holds, url }: Mirror,
  { host, signal, timeout = responseTimeout }: NetworkContext,
): Promise<MirrorCheck> {
  const id = 'mirror';
  const { hostname } = new URL(url);
  const title = `${holds} from ${hostname}`;
  try {
    const reached = await reach(url, { env: host.env, timeout, signal });
    return { check: { id, title, state: 'ok', detail: 'reachable' }, reached };
  } catch (error) {
    signal.throwIfAborted();
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isCertificate = /CERT|SIGNATURE|ISSUER/.test(code);
    const fix = isCertificate ? certificateHint : `getent hosts ${hostname}`;
    return { check: { id, title, state: 'warn', detail: message || code, fix }, reached: undefined };
  }
}

/** Compares with a server's clock: with a wrong one, certificates are not valid yet or have expired. */
function checkServersClock(mirrors: readonly MirrorCheck[]): readonly CheckResult[] {
  const date = mirrors.find(({ reached }) => reached?.date !== undefined)?.reached?.date;
  if (date === undefined) return [];
  const seconds = Math.round(Math.abs(date - Date.now()) / 1000);
  if (seconds <= 30) return [];
  const detail = `this machine's clock is ${seconds} s ${date < Date.now() ? 'ahead' : 'behind'}`;
  return [{ id: 'clock', title: 'clock', state: 'warn', detail, fix: 'sudo timedatectl set-ntp true' }];
}

/** A proxy that receives requests to 127.0.0.1 sends them to another machine. */
function checkProxy({ host }: CheckContext): readonly CheckResult[] {
  const proxy =
    findProxy(new URL('http://127.0.0.1'), host.env) ?? findProxy(new URL('https://127.0.0.1'), host.env);
  if (proxy === undefined) return [];
  const detail = `requests to 127.0.0.1 go through proxy ${proxy.host}`;
  const fix = 'export NO_PROXY=127.0.0.1,localhost';
  return [{ id: 'proxy', title: 'proxy', state: 'warn', detail, fix }];
}

/** Images can be neither pulled nor built. */
function checkOffline(
  registries: readonly CheckResult[],
  mirrors: readonly CheckResult[],
): readonly CheckResult[] {
  const isUnreachable = (checks: readonly CheckResult[]) =>
    checks.length > 0 && checks.every(({ state }) => state !== 'ok');
  if (!isUnreachable(registries) || !isUnreachable(mirrors)) return [];
  const detail = 'no registry and no mirror is reachable: only cached images can be used';
  return [{ id: 'offline', title: 'network', state: 'warn', detail, fix: 'ip route; cat /etc/resolv.conf' }];
}

function toCause({ cause, message }: Failure): string {
  return cause instanceof Error ? cause.message : message;
}
