import type { Exec } from '../tools/exec.ts';
import type { Host } from './host.ts';

/** A server from which this machine downloads packages, as it is configured. */
export interface Mirror {
  /** `npm packages`, `Go modules`, `Debian packages`. */
  readonly holds: string;
  readonly url: string;
}

/** The mirrors that the settings of npm, Go and apt name. A program that is not installed has none. */
export async function listMirrors(host: Host, exec: Exec, signal: AbortSignal): Promise<readonly Mirror[]> {
  const ask = async (program: string, args: readonly string[]) => {
    const answer = await exec(program, args, { signal, timeout: 5_000 }).catch(() => undefined);
    signal.throwIfAborted();
    return answer?.stdout.trim() ?? '';
  };
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages'];
  const [registry, goProxy, sources] = await Promise.all([
    // npm sets it for its scripts; `npm config` takes half a second.
    host.env.npm_config_registry ?? ask('npm', ['config', 'get', 'registry']),
    ask('go', ['env', 'GOPROXY']),
    host.hasApt ? ask('apt-get', ['indextargets', ...format]) : '',
  ]);
  const found = [
    { holds: 'npm packages', url: registry },
    ...goProxy.split(/[,|]/).map((url) => ({ holds: 'Go modules', url })),
    ...sources.split('\n').map((url) => ({ holds: 'Debian packages', url })),
  ];
  // Several folders of one server are one mirror.
  const mirrors = found.filter(({ url }) => /^https?:/.test(url) && URL.canParse(url));
  return [
    ...new Map(mirrors.map((mirror) => [`${mirror.holds} ${new URL(mirror.url).host}`, mirror])).values(),
  ];
}
