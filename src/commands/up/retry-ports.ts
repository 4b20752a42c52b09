import { PortTakenFailure } from '../../tools/kind.ts';
import type { Ui } from '../../ui/ui.ts';

/**
 * Attempts to create or update the cluster, and once more when a port was taken between its choice and the cluster's
 * creation. The second attempt gets the ports to avoid.
 */
export async function retryOnTakenPort<T>(
  { say }: Pick<Ui, 'say'>,
  attempt: (avoided: ReadonlySet<number>) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(new Set());
  } catch (error) {
    if (!(error instanceof PortTakenFailure)) throw error;
    say(`${error.message}: choosing the ports again`);
    return attempt(new Set(error.port === undefined ? [] : [error.port]));
  }
}
