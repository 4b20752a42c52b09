import { expect, test } from 'vitest';
import { namespaceManifest } from '../../src/plans/manifests.ts';
import { applyManifests } from '../../src/steps/apply-manifests.ts';
import { deleteNamespace } from '../../src/steps/delete-namespace.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';

const name = 'wealist-kind-local';
const held = {
  type: 'NamespaceFinalizersRemaining',
  status: 'True',
  message:
    'Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances',
};

/** A cluster with this namespace, which is gone `asks` requests after its deletion; never where that is undefined. */
function createCluster({ isBeingDeleted = false, asks }: { isBeingDeleted?: boolean; asks?: number } = {}) {
  const state = { exists: true, isBeingDeleted, digest: '', left: asks };
  const calls: string[] = [];
  const lines: string[] = [];
  const kubectl: Kubectl = {
    command: ['kubectl'],
    async run(args) {
      calls.push(args[0] ?? '');
      if (args[0] === 'delete') {
        state.isBeingDeleted = true;
        return '';
      }
      if (state.isBeingDeleted && args.at(-1) === '--output=json' && state.left !== undefined) {
        state.left -= 1;
        state.exists = state.left > 0;
      }
      if (!state.exists) return '';
      if (args.at(-1) === '--output=json') {
        const conditions = [
          held,
          { type: 'NamespaceDeletionContentFailure', status: 'False', message: 'no' },
        ];
        return JSON.stringify({ metadata: { finalizers: ['example.test/own'] }, status: { conditions } });
      }
      if (args.includes('name')) return `namespace/${name}\n`;
      const deleted = state.isBeingDeleted ? '2026-11-30T02:00:00Z' : '';
      return `Namespace\t${name}\t${state.digest}\t${deleted}\n`;
    },
    async apply(text) {
      if (state.exists && state.isBeingDeleted)
        throw new Error('applied to a namespace that is being deleted');
      const [digest = ''] = Object.values<string>(JSON.parse(text).metadata.annotations);
      Object.assign(state, { exists: true, isBeingDeleted: false, digest });
    },
    getJson: () => Promise.reject(new Error('not asked for')),
    logs: () => Promise.reject(new Error('not asked for')),
  };
  const run = { signal: new AbortController().signal, report: (line: string) => void lines.push(line) };
  const step = (timeout = 60_000) =>
    applyManifests({
      ...{ kubectl, title: 'namespaces', objects: [namespaceManifest(name, 'restricted')] },
      ...{ timeout, interval: 1 },
    });
  return { kubectl, state, calls, lines, run, step };
}

test('a namespace that is being deleted is not done, and is created again once it is gone', async () => {
  const { step, run, state, lines } = createCluster({ asks: 3 });
  await step().apply(run);
  expect(await step().isDone?.(run)).toBe('unchanged');
  state.isBeingDeleted = true;
  expect(await step().isDone?.(run)).toBe(false);
  await step().apply(run);
  expect(await step().isDone?.(run)).toBe('unchanged');
  expect(lines[0]).toContain(`waiting until namespace ${name} is deleted: Some content`);
});

test('one that finalizers hold is a failure that names them, and nothing is forced', async () => {
  const { step, run, calls } = createCluster({ isBeingDeleted: true });
  await expect(step(5).apply(run)).rejects.toMatchObject({
    message: expect.stringContaining(`namespace ${name} is still being deleted after`),
    cause: `${held.message}; finalizers of the namespace itself: example.test/own`,
    hint: `npm run kubectl -- get namespace ${name} --output=yaml`,
    exitCode: 5,
  });
  expect(new Set(calls)).toEqual(new Set(['get']));
});

test('a namespace is deleted, and waited for until it is gone', async () => {
  const { kubectl, run, state, calls } = createCluster({ asks: 1 });
  const step = deleteNamespace(kubectl, name);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(state.exists).toBe(false);
  expect(calls).toContain('delete');
  expect(await step.isDone?.(run)).toBe('not found');
});
