import { withDeadline } from '../lib/deadline.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Step } from '../plan/plan.ts';
import { requestStatus } from '../tools/http-status.ts';

export interface IngressAddress {
  readonly name: string;
  readonly url: string;
  /** Whether a client error, such as 404, shows as well that the service responds. */
  readonly acceptsErrors?: boolean;
}

/** Milliseconds without another response until the wait gives up. */
const timeout = 60_000;

/** Every address responds with success through the ingress, as a browser on this machine would request it. */
export function waitForIngress(
  listAddresses: (signal: AbortSignal) => Promise<readonly IngressAddress[]>,
): Step {
  const listFailing = async (addresses: readonly IngressAddress[], signal: AbortSignal) => {
    const results = await Promise.all(
      addresses.map(async (each) => ({ ...each, problem: await findResponseProblem(each, signal) })),
    );
    return results.filter(({ problem }) => problem !== undefined);
  };

  return {
    title: 'responses through the ingress',
    async isDone({ signal }) {
      const addresses = await listAddresses(signal);
      const failing = await listFailing(addresses, signal);
      return failing.length === 0 && `${addresses.length} of ${addresses.length}`;
    },
    async apply({ signal, report }) {
      const addresses = await listAddresses(signal);
      let failing = await listFailing(addresses, signal);
      await waitFor(
        async () => {
          failing = await listFailing(addresses, signal);
          report(`${addresses.length - failing.length} of ${addresses.length} respond`);
          return failing.length === 0 || undefined;
        },
        {
          ...{ interval: 200, timeout, signal },
          progress: () => failing.map(({ name, problem }) => `${name}: ${problem}`).join(),
        },
      );
      const [first] = failing;
      if (!first) return;
      throw new Failure(
        `${failing.map(({ name }) => name).join(', ')} did not respond through the ingress: no change for 60 s`,
        {
          cause: `${first.url}: ${first.problem}`,
          hint: 'npm run status',
          exitCode: exitCodes.workload,
        },
      );
    },
  };
}

/** `responded with 404`, or why there was no response; undefined when the address responds with success. */
export async function findResponseProblem(
  { url, acceptsErrors = false }: Pick<IngressAddress, 'url' | 'acceptsErrors'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const status = await withDeadline({ timeout: 3_000, signal }, (limited) =>
      requestStatus(url, { signal: limited }),
    );
    return status >= 200 && status < (acceptsErrors ? 500 : 300) ? undefined : `responded with ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message || String(error) : String(error);
  }
}
