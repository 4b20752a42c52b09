import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSnapshots } from '../../src/diagnosis/snapshot.ts';
import { CommandFailure } from '../../src/lib/failure.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';

/** A cluster that responds after a moment, with one pod whose name is the number of the request. */
function startCluster({ fails = 0 } = {}) {
  const asked: { readonly args: readonly string[]; readonly signal: AbortSignal | undefined }[] = [];
  const kubectl = createKubectl(
    async (program, args, { signal } = {}) => {
      asked.push({ args, signal });
      const number = asked.length;
      await sleep(20, undefined, signal && { signal });
      if (number <= fails) {
        const silent = { argv: [program], status: 1, stdout: '', stderr: '' };
        throw new CommandFailure('no answer', silent);
      }
      const pod = { kind: 'Pod', metadata: { name: String(number), namespace: 'here' } };
      return { stdout: JSON.stringify({ items: [pod] }), stderr: '' };
    },
    { program: 'kubectl', kubeconfig: 'kubeconfig', context: 'kind-wealist' },
  );
  return { kubectl, asked };
}

const { signal } = new AbortController();

test('callers at the same time share one request', async () => {
  const { kubectl, asked } = startCluster();
  const snapshots = createSnapshots(kubectl);
  const [one, other] = await Promise.all([snapshots.take(signal), snapshots.take(signal)]);
  expect(other).toBe(one);
  expect(one.find('Pod', '1', 'here')?.metadata.name).toBe('1');
  expect(one.list('Deployment')).toEqual([]);
  expect(asked.length).toBe(1);
  expect(asked[0]?.args).toContain('--all-namespaces');
});

test('a request that was sent earlier does not count as current', async () => {
  const { kubectl, asked } = startCluster();
  const snapshots = createSnapshots(kubectl);
  const first = snapshots.take(signal);
  await sleep(5);
  const later = [snapshots.take(signal), snapshots.take(signal)];
  const young = snapshots.take(signal, { maxAge: 1_000 });
  expect((await first).find('Pod', '1', 'here')).toBeDefined();
  for (const snapshot of await Promise.all(later)) expect(snapshot.find('Pod', '2', 'here')).toBeDefined();
  expect(await young).toBe(await first);
  expect(asked.length).toBe(2);
});

test('a snapshot is shared within its maximum age', async () => {
  const { kubectl, asked } = startCluster();
  const snapshots = createSnapshots(kubectl, { namespace: 'here' });
  const first = await snapshots.take(signal);
  expect(await snapshots.take(signal, { maxAge: 10_000 })).toBe(first);
  await sleep(5);
  expect(await snapshots.take(signal, { maxAge: 1 })).not.toBe(first);
  expect(asked.length).toBe(2);
  expect(asked[0]?.args).toContain('--namespace=here');
});

test('a failure is not reported to later callers', async () => {
  const { kubectl } = startCluster({ fails: 1 });
  const snapshots = createSnapshots(kubectl);
  await expect(snapshots.take(signal)).rejects.toThrow('no answer');
  expect((await snapshots.take(signal, { maxAge: 10_000 })).find('Pod', '2', 'here')).toBeDefined();
});

test('an aborted caller leaves the request to the others; without any caller it is aborted', async () => {
  const { kubectl, asked } = startCluster();
  const snapshots = createSnapshots(kubectl);
  const [one, other] = [new AbortController(), new AbortController()];
  const given = snapshots.take(one.signal);
  const kept = snapshots.take(other.signal);
  one.abort(new Error('given up'));
  await expect(given).rejects.toThrow('given up');
  expect((await kept).find('Pod', '1', 'here')).toBeDefined();

  const alone = snapshots.take(other.signal);
  await sleep(5);
  other.abort(new Error('given up, too'));
  await expect(alone).rejects.toThrow('given up, too');
  expect(asked.at(-1)?.signal?.aborted).toBe(true);
  expect((await snapshots.take(signal)).find('Pod', '3', 'here')).toBeDefined();
});
