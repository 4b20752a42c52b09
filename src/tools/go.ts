import { readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Platform } from '../lib/platform.ts';
import type { Run } from '../plan/plan.ts';
import type { Exec, ExecOptions } from './exec.ts';
import { type FailureRules, inheritFrom } from './failure-rules.ts';

const proxyHint = 'go env GOPROXY GOSUMDB';

const goFailures: FailureRules = {
  exitCode: exitCodes.image,
  hint: proxyHint,
  installHint: 'install Go 1.24 or newer from https://go.dev/dl/',
  rules: [
    {
      pattern: /requires go >= |invalid go version|toolchain not available/,
      hint: 'install a newer Go from https://go.dev/dl/, or: unset GOTOOLCHAIN',
      exitCode: exitCodes.host,
    },
    {
      pattern: /no space left on device/,
      hint: 'npm run images -- prune',
      exitCode: exitCodes.host,
    },
    {
      pattern: /signal: killed|cannot allocate memory/,
      hint: 'free --human: the compiler needs about 2 GB',
      exitCode: exitCodes.host,
    },
    {
      pattern: /checksum mismatch|SECURITY ERROR/,
      hint: 'go env GOPROXY GOSUMDB GONOSUMDB',
    },
    {
      pattern: /cannot install cross-compiled binaries when GOBIN is set/,
      hint: 'go env -u GOBIN',
      exitCode: exitCodes.host,
    },
  ],
};

/** A Go program by its published module, for modules without replaces: `go install` refuses the others. */
export interface PublishedProgram {
  /** Import path of the main package. */
  readonly package: string;
  readonly version: string;
  readonly ldflags?: string;
}

/** A Go program of a module in this checkout, which pins what it needs in its own go.mod and go.sum. */
export interface LocalProgram {
  /** Absolute path of the module's folder. */
  readonly module: string;
  /** The main package: `./kube`, or an import path that the module requires. */
  readonly package: string;
  readonly ldflags?: string;
}

/** A published module as a whole, including files other than Go source. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
}

export type GoProgram = PublishedProgram | LocalProgram;

export interface Go {
  /** Builds a static program into `folder`, under the name of its package; resolves when it is there. */
  build(program: GoProgram, platform: Platform, folder: string, run: Run): Promise<void>;
  /** Downloads a module and checks its sum; resolves to its folder, which is read-only. */
  downloadModule(module: GoModule, run: Run): Promise<string>;
  /** Deletes the compiler's and the modules' cache; the next build fills both again. */
  clean(run: Run): Promise<void>;
}

/** `cache` is a folder of our own: Go's caches grow past 10 GB here, and `images prune` may delete them. */
export function createGo(exec: Exec, cache: string): Go {
  const env = {
    CGO_ENABLED: '0',
    GOFLAGS: '',
    GOCACHE: join(cache, 'build'),
    GOMODCACHE: join(cache, 'mod'),
    GOWORK: 'off',
  };

  /** Go takes no GOBIN for another platform; below GOPATH, it puts the program into a folder named after the platform. */
  async function installForeign(
    args: readonly string[],
    { os, architecture }: Platform,
    folder: string,
    options: ExecOptions,
  ): Promise<void> {
    const path = join(folder, 'gopath');
    await exec('go', args, { ...options, env: { ...options.env, GOPATH: path }, cwd: folder });
    const bin = join(path, 'bin', `${os}_${architecture}`);
    for (const name of await readdir(bin)) await rename(join(bin, name), join(folder, name));
    await rm(path, { recursive: true });
  }

  return {
    async build(program, platform, folder, { signal, report }) {
      const flags = ['-v', '-trimpath', '-ldflags', ['-s -w', program.ldflags].filter(Boolean).join(' ')];
      const messages: string[] = [];
      const onLine = (line: string) => {
        report(line);
        if (!isProgress(line)) messages.push(line);
      };
      const { os: GOOS, architecture: GOARCH } = platform;
      // Beside the result: where /tmp is in memory, it is too small for a large program.
      const target = { ...env, GOOS, GOARCH, GOTMPDIR: folder };
      const options = { signal, onLine, failures: goFailures };
      const host = await requireGo(exec);
      try {
        if ('module' in program) {
          const args = ['build', ...flags, '-o', `${folder}/`, program.package];
          await exec('go', args, { ...options, env: target, cwd: program.module });
        } else {
          const args = ['install', ...flags, `${program.package}@${program.version}`];
          if (isSame(host, platform)) {
            await exec('go', args, { ...options, env: { ...target, GOBIN: folder }, cwd: folder });
          } else {
            await installForeign(args, platform, folder, { ...options, env: target });
          }
        }
      } catch (cause) {
        signal.throwIfAborted();
        throw new Failure(`${program.package} could not be built from its Go module`, {
          cause: cause instanceof CommandFailure ? withMessages(cause, messages) : cause,
          ...inheritFrom(cause, goFailures),
        });
      }
    },

    async downloadModule({ path, version }, { signal, report }) {
      await requireGo(exec);
      report(`downloading ${path} ${version}`);
      try {
        // Outside of any module, so that no go.mod has an effect.
        const options = { env, cwd: tmpdir(), signal, failures: goFailures };
        const { stdout } = await exec('go', ['mod', 'download', '-json', `${path}@${version}`], options);
        return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
      } catch (cause) {
        signal.throwIfAborted();
        throw new Failure(`Go module ${path} ${version} could not be downloaded`, {
          cause,
          ...inheritFrom(cause, goFailures),
        });
      }
    },

    async clean({ signal }) {
      await exec('go', ['clean', '-cache', '-modcache'], { env, signal, failures: goFailures });
    },
  };
}

function isSame(one: Platform, other: Platform): boolean {
  return one.os === other.os && one.architecture === other.architecture;
}

/** With -v, Go prints each package on a line of its own, and an error somewhere among them. */
function isProgress(line: string): boolean {
  return !/\s/.test(line.trim()) || line.startsWith('go: downloading ');
}

/** The failure with the last 20 lines of output that are not progress; unchanged where there are none. */
function withMessages(failure: CommandFailure, messages: readonly string[]): CommandFailure {
  const { message, argv, status, stdout } = failure;
  const stderr = messages.slice(-20).join('\n') || failure.stderr;
  return new CommandFailure(message, { argv, status, stdout, stderr });
}

/** The platform that Go itself runs on. @throws {Failure} exit code 3 when it is not installed. */
async function requireGo(exec: Exec): Promise<Platform> {
  try {
    const { stdout } = await exec('go', ['env', 'GOHOSTOS', 'GOHOSTARCH'], { failures: goFailures });
    const [os = '', architecture = ''] = stdout.split('\n');
    return { os, architecture };
  } catch (cause) {
    throw new Failure('Go is not installed: images that cannot be pulled are built with it', {
      cause,
      hint: goFailures.installHint,
      exitCode: exitCodes.host,
    });
  }
}
