import type { App } from '../../cli/command.ts';
import { CommandFailure } from '../../lib/failure.ts';
import { type Kubectl, kubectlFailures } from '../../tools/kubernetes/kubectl.ts';

/** Runs kubectl on this terminal. Resolves to its exit code: kubectl has printed why itself. */
export async function handOver(
  { exec, signal }: Pick<App, 'exec' | 'signal'>,
  kubectl: Kubectl,
  args: readonly string[],
): Promise<number> {
  const [program, ...base] = kubectl.command;
  try {
    await exec(program, [...base, ...args], { inherit: true, signal, failures: kubectlFailures });
    return 0;
  } catch (error) {
    if (error instanceof CommandFailure && error.status !== undefined) return error.status;
    throw error;
  }
}
