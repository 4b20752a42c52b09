import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

/** Milliseconds until all that a namespace holds must have ended. */
const timeout = 120_000;

/** A namespace is gone with all that is in it; the folders of its volumes stay. */
export function deleteNamespace(kubectl: Kubectl, name: string): Step {
  async function isGone(signal: AbortSignal): Promise<boolean> {
    const found = await kubectl.run(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'], signal);
    return found.trim() === '';
  }

  return {
    title: `delete namespace ${name}`,
    isDone: async ({ signal }) => (await isGone(signal)) && 'not there',
    async apply({ signal, report }) {
      await kubectl.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'], signal);
      report('waiting for what is in it to end');
      const gone = await waitFor(async () => (await isGone(signal)) || undefined, {
        interval: 500,
        timeout: timeout,
        signal,
      });
      if (gone) return;
      throw new Failure(`namespace ${name} is still there after ${toDuration(timeout)}`, {
        hint: `npm run kubectl -- get namespace ${name} -o yaml`,
        exitCode: exitCodes.cluster,
      });
    },
  };
}
