import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

/** Milliseconds in which all objects of a namespace must be deleted. */
const timeout = 120_000;

/** A namespace is deleted with all its objects; the folders of its volumes stay on this machine. */
export function deleteNamespace(kubectl: Kubectl, name: string): Step {
  async function isGone(signal: AbortSignal): Promise<boolean> {
    const found = await kubectl.run(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'], signal);
    return found.trim() === '';
  }

  return {
    title: `delete namespace ${name}`,
    isDone: async ({ signal }) => (await isGone(signal)) && 'not found',
    async apply({ signal, report }) {
      await kubectl.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'], signal);
      report('waiting until its objects are deleted');
      const gone = await waitFor(async () => (await isGone(signal)) || undefined, {
        interval: 500,
        timeout,
        signal,
      });
      if (gone) return;
      throw new Failure(`namespace ${name} still exists after ${toDuration(timeout)}`, {
        hint: `npm run kubectl -- get namespace ${name} -o yaml`,
        exitCode: exitCodes.cluster,
      });
    },
  };
}
