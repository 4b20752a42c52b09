import { join } from 'node:path';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Exec } from './exec.ts';
import type { FailureRules } from './failure-rules.ts';

const commitHint = 'git init && git add . && git commit -m "first"';

const gitFailures: FailureRules = {
  exitCode: exitCodes.usage,
  installHint: 'install git: https://git-scm.com/downloads',
  rules: [
    {
      pattern: /detected dubious ownership/,
      hint: 'git config --global --add safe.directory "$PWD"',
    },
    {
      pattern:
        /not a git repository|unknown revision|Needed a single revision|does not have any commits yet|path '.*' does not exist/,
      hint: commitHint,
    },
    {
      pattern: /index\.lock': File exists|another git process seems to be running/i,
      hint: 'wait until the other git has ended; one that was killed leaves .git/index.lock, to be deleted',
    },
    {
      pattern: /No space left on device/i,
      hint: 'npm run images -- prune',
      exitCode: exitCodes.host,
    },
  ],
};

/** A checkout's newest commit, and the trees of some of its folders. */
export interface Head {
  /** Hash of the commit. */
  readonly commit: string;
  /** First line of its message. */
  readonly subject: string;
  /** Folder → hash of its tree: the same content, the same hash, in whatever repository. */
  readonly trees: Readonly<Record<string, string>>;
}

/** git in this checkout; it reads only. */
export interface Git {
  /** @throws {Failure} exit code 2 when this is not a repository, has no commit, or the commit lacks one of the folders. */
  readHead(folders: readonly string[], signal: AbortSignal): Promise<Head>;
  /** Paths below these folders that differ from the newest commit. */
  listUncommitted(folders: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Writes a pack with all that the trees hold into a folder; resolves to its path. */
  writePack(trees: readonly string[], folder: string, signal: AbortSignal): Promise<string>;
}

export function createGit(exec: Exec, checkout: string): Git {
  const run = async (args: readonly string[], signal: AbortSignal, input?: string) => {
    const options = {
      cwd: checkout,
      signal,
      failures: gitFailures,
      ...(input === undefined ? {} : { input }),
    };
    return (await exec('git', args, options)).stdout.trimEnd();
  };

  return {
    async readHead(folders, signal) {
      try {
        const [commit = '', subject = ''] = (await run(['log', '-1', '--format=%H%n%s'], signal)).split('\n');
        const hashes = await run(['rev-parse', ...folders.map((folder) => `${commit}:./${folder}`)], signal);
        const trees = hashes.split('\n');
        return {
          commit,
          subject,
          trees: Object.fromEntries(folders.map((name, at) => [name, trees[at] ?? ''])),
        };
      } catch (cause) {
        if (!(cause instanceof CommandFailure)) throw cause;
        throw new Failure(`this checkout has no commit with ${folders.join('/ and ')}/`, {
          cause,
          hint: cause.hint ?? commitHint,
          exitCode: cause.exitCode,
        });
      }
    },

    async listUncommitted(folders, signal) {
      const text = await run(['status', '--porcelain', '--', ...folders], signal);
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace(/^.. ?/, ''));
    },

    async writePack(trees, folder, signal) {
      const args = ['pack-objects', '--quiet', '--revs', join(folder, 'pack')];
      const hash = await run(args, signal, trees.map((tree) => `${tree}\n`).join(''));
      return join(folder, `pack-${hash}.pack`);
    },
  };
}
