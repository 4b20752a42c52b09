import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Run } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import type { Condition } from '../tools/kubernetes/objects.ts';

interface Namespace {
  readonly metadata: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface DeletionOptions {
  readonly kubectl: Pick<Kubectl, 'run'>;
  /** Milliseconds in which all objects of the namespace must be deleted, and between two requests. */
  readonly timeout?: number;
  readonly interval?: number;
}

/**
 * Waits until a namespace that is being deleted no longer exists.
 * @throws {Failure} exit code 5 after the timeout: its cause names what remains, such as objects with finalizers.
 */
export async function waitUntilDeleted(
  name: string,
  { kubectl, timeout = 120_000, interval = 500 }: DeletionOptions,
  { signal, report }: Run,
): Promise<void> {
  let remaining = '';
  const isGone = async () => {
    const text = await kubectl.run(['get', 'namespace', name, '--ignore-not-found', '--output=json'], signal);
    if (text.trim() === '') return true;
    remaining = describeRemaining(JSON.parse(text));
    report(`waiting until namespace ${name} is deleted${remaining === '' ? '' : `: ${remaining}`}`);
    return undefined;
  };
  if (await waitFor(isGone, { interval, timeout, signal })) return;
  throw new Failure(`namespace ${name} is still being deleted after ${toDuration(timeout)}`, {
    ...(remaining === '' ? {} : { cause: remaining }),
    hint: `npm run kubectl -- get namespace ${name} --output=yaml`,
    exitCode: exitCodes.cluster,
  });
}

/** What keeps a namespace from being deleted, in the words of the API server; empty while it reports nothing. */
function describeRemaining({ metadata, status }: Namespace): string {
  const messages = (status?.conditions ?? [])
    .filter((condition) => condition.status === 'True')
    .map(({ message = '' }) => message);
  const own = metadata.finalizers ?? [];
  const finalizers = own.length === 0 ? [] : [`finalizers of the namespace itself: ${own.join(', ')}`];
  return [...messages, ...finalizers].filter(Boolean).join('; ');
}
