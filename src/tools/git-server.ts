import { createReadStream } from 'node:fs';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Kubectl } from './kubernetes/kubectl.ts';

/** The Git server of chart wealist-argocd. */
export interface GitServer {
  /** The commit at the head of its main branch; undefined while it has no commit, or is not running. */
  findHead(signal: AbortSignal): Promise<string | undefined>;
  /** Whether its newest commit has just these folders' trees. */
  has(trees: Readonly<Record<string, string>>, signal: AbortSignal): Promise<boolean>;
  /** Adds a commit of these folders, whose trees the pack holds; resolves to its hash. */
  receive(
    commit: {
      readonly message: string;
      readonly trees: Readonly<Record<string, string>>;
      readonly pack: string;
    },
    signal: AbortSignal,
  ): Promise<string>;
}

/** Runs git in the server's pod: only a user who may do that, and so controls the cluster, can write to it. */
export function createGitServer(kubectl: Kubectl, namespace: string): GitServer {
  const inPod = ['exec', `--namespace=${namespace}`, 'deployment/git'];

  async function revParse(revisions: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    try {
      const text = await kubectl.run([...inPod, '--', 'git', 'rev-parse', ...revisions], signal);
      return text.trim().split('\n');
    } catch (error) {
      signal.throwIfAborted();
      // There is no pod, no repository or no commit.
      if (error instanceof CommandFailure) return [];
      throw error;
    }
  }

  return {
    async findHead(signal) {
      return (await revParse(['main'], signal))[0];
    },
    async has(trees, signal) {
      const names = Object.keys(trees);
      const found = await revParse(
        names.map((name) => `main:${name}`),
        signal,
      );
      return found.length === names.length && names.every((name, at) => found[at] === trees[name]);
    },
    async receive({ message, trees, pack }, signal) {
      const folders = Object.entries(trees).map(([name, tree]) => `${name}=${tree}`);
      const script = ['sh', '/scripts/receive.sh', message, ...folders];
      try {
        const args = [...inPod, '--stdin', '--', ...script];
        return (await kubectl.run(args, signal, createReadStream(pack))).trim();
      } catch (cause) {
        signal.throwIfAborted();
        throw new Failure('the Git server rejected the commit', {
          cause,
          hint: `npm run kubectl -- -n ${namespace} logs deployment/git`,
          exitCode: exitCodes.workload,
        });
      }
    },
  };
}
