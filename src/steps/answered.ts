import { withDeadline } from '../lib/deadline.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import { requestStatus } from '../tools/http-status.ts';

export interface Answer {
  readonly name: string;
  readonly url: string;
}

/** Milliseconds until the ingress must have taken notice of every route. */
const timeout = 60_000;

/** Everything deployed answers with success through the ingress: what a browser on this machine would see. */
export function answerThroughIngress(addresses: readonly Answer[]): Step {
  const listSilent = async (signal: AbortSignal) => {
    const answers = await Promise.all(
      addresses.map(async (each) => ({ ...each, state: await findSilence(each.url, signal) })),
    );
    return answers.filter(({ state }) => state !== undefined);
  };

  return {
    title: 'answered through the ingress',
    async isDone({ signal }) {
      return (await listSilent(signal)).length === 0 && `${addresses.length} of ${addresses.length}`;
    },
    async apply({ signal, report }) {
      let silent = await listSilent(signal);
      await waitFor(
        async () => {
          silent = await listSilent(signal);
          report(`${addresses.length - silent.length} of ${addresses.length} answer`);
          return silent.length === 0 || undefined;
        },
        { interval: 200, timeout, signal },
      );
      const [first] = silent;
      if (!first) return;
      throw new Failure(
        `${silent.map(({ name }) => name).join(', ')} did not answer through the ingress in 60 s`,
        {
          cause: `${first.url}: ${first.state}`,
          hint: 'npm run status',
          exitCode: exitCodes.workload,
        },
      );
    },
  };
}

/** What is wrong with an address, `answered 404` or why there was no answer; undefined when it answers with success. */
export async function findSilence(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const status = await withDeadline({ timeout: 3_000, signal }, (limited) =>
      requestStatus(url, { signal: limited }),
    );
    return status >= 200 && status < 300 ? undefined : `answered ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message || String(error) : String(error);
  }
}
