import type { Exec, ExecOptions } from '../exec.ts';
import type { FailureRules } from '../failure-rules.ts';
import { apiFailures } from './api-failures.ts';

/** kubectl's failures are those of the API server that it asks; `npm run up` provides the program. */
export const kubectlFailures: FailureRules = { ...apiFailures, installHint: 'npm run up' };

/** The calls that change nothing: all that is available for a remote cluster. */
export type KubectlReader = Pick<Kubectl, 'getJson' | 'logs'>;

/** kubectl on one cluster and no other: every call names the private kubeconfig and its kube context. */
export interface Kubectl {
  /** The parsed output of `kubectl get … --output=json`. */
  getJson<T>(args: readonly string[], signal: AbortSignal): Promise<T>;
  /** The output of `kubectl logs`. */
  logs(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** Creates or updates these objects (YAML) by server-side apply, as field manager `wealist-local`. */
  apply(manifest: string, signal: AbortSignal): Promise<void>;
  /** Resolves to its output; `input` is its standard input. */
  run(args: readonly string[], signal: AbortSignal, input?: ExecOptions['input']): Promise<string>;
  /** The program and its first arguments, for callers that stream its output or hand it the terminal. */
  readonly command: readonly [string, ...string[]];
}

export interface KubectlOptions {
  /** Path of the program. */
  readonly program: string;
  readonly kubeconfig: string;
  /** Name of the kube context. */
  readonly context: string;
}

/** Milliseconds for one call; a paused or overloaded node does not respond. */
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
