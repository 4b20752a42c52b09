import type { Exec, ExecOptions } from '../exec.ts';
import type { FailureRules } from '../failure-rules.ts';
import { apiFailures } from './api-failures.ts';

/** kubectl's failures are those of the API server that it asks; `npm run up` provides the program. */
export const kubectlFailures: FailureRules = { ...apiFailures, installHint: 'npm run up' };

/** What asks only: all that there is for a cluster of somebody else. */
export type KubectlReader = Pick<Kubectl, 'getJson' | 'logs'>;

/** kubectl on one cluster and no other: every call names the private kubeconfig and its kube context. */
export interface Kubectl {
  /** The parsed answer of `kubectl get … --output=json`. */
  getJson<T>(args: readonly string[], signal: AbortSignal): Promise<T>;
  /** The answer of `kubectl logs`. */
  logs(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** Makes the cluster have these objects (YAML), owned by field manager `wealist-local`. */
  apply(manifest: string, signal: AbortSignal): Promise<void>;
  /** Resolves to its output; `input` is what it reads. */
  run(args: readonly string[], signal: AbortSignal, input?: ExecOptions['input']): Promise<string>;
  /** The program and its first arguments, for who streams its output or hands it the terminal. */
  readonly command: readonly [string, ...string[]];
}

export interface KubectlOptions {
  /** Path of the program. */
  readonly program: string;
  readonly kubeconfig: string;
  /** Name of the kube context. */
  readonly context: string;
}

/** Milliseconds for one question; a paused or overloaded node answers none. */
const requestTimeout = 20_000;

export function createKubectl(exec: Exec, { program, kubeconfig, context }: KubectlOptions): Kubectl {
  const base = [`--kubeconfig=${kubeconfig}`, `--context=${context}`];
  const run = async (args: readonly string[], signal: AbortSignal, input?: ExecOptions['input']) => {
    const options = {
      signal,
      timeout: requestTimeout,
      failures: kubectlFailures,
      ...(input === undefined ? {} : { input }),
    };
    return (await exec(program, [...base, ...args], options)).stdout;
  };

  return {
    command: [program, ...base],
    run,
    logs: (args, signal) => run(['logs', ...args], signal),
    getJson: async (args, signal) => JSON.parse(await run(['get', ...args, '--output=json'], signal)),
    async apply(manifest, signal) {
      await run(
        ['apply', '--server-side', '--force-conflicts', '--field-manager=wealist-local', '-f', '-'],
        signal,
        manifest,
      );
    },
  };
}
