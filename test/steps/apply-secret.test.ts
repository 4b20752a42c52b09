import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applySecret } from '../../src/steps/apply-secret.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const run = { signal: new AbortController().signal, report: () => {} };

interface Applied {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
}

/** A cluster with the objects applied last, whose annotations it returns as kubectl does. */
function createCluster() {
  const applied: Applied[] = [];
  const kubectl: Kubectl = {
    command: ['kubectl'],
    apply: async (text) => void applied.push(JSON.parse(text)),
    run: async (args) => {
      expect(args).toContain('--namespace=wealist-dev');
      // kubectl prints one object by itself, not as a list.
      expect(args.at(-1)).toMatch(/^--output=jsonpath=\{\.kind\}\{"\\t"\}/);
      const [digest] = Object.values(applied.at(-1)?.metadata.annotations ?? {});
      return digest === undefined ? '' : `Secret\twealist-shared-secret\t${digest}\t\n`;
    },
    getJson: () => Promise.reject(new Error('not asked for')),
    logs: () => Promise.reject(new Error('not asked for')),
  };
  return { kubectl, applied };
}

async function makeStep(kubectl: Kubectl, secrets: object) {
  const file = join(await makeTemporaryFolder(), 'secrets.yaml');
  await writeFile(file, JSON.stringify({ shared: { secrets } }));
  return applySecret({ kubectl, namespace: 'wealist-dev', name: 'wealist-shared-secret', file });
}

test('the Secret has the secrets of the values file, and is updated with them', async () => {
  const { kubectl, applied } = createCluster();
  const step = await makeStep(kubectl, { DB_PASSWORD: 'pässword', REDIS_PASSWORD: '' });
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(applied).toEqual([
    expect.objectContaining({
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
      metadata: expect.objectContaining({ name: 'wealist-shared-secret', namespace: 'wealist-dev' }),
      data: { DB_PASSWORD: Buffer.from('pässword').toString('base64'), REDIS_PASSWORD: '' },
    }),
  ]);
  expect(await step.isDone?.(run)).toBe('unchanged');

  const changed = await makeStep(kubectl, { DB_PASSWORD: 'another', REDIS_PASSWORD: '' });
  expect(await changed.isDone?.(run)).toBe(false);
});

test('it is not done before the secrets exist', async () => {
  const { kubectl } = createCluster();
  const step = applySecret({ kubectl, namespace: 'wealist-dev', name: 'a', file: undefined });
  expect(await step.isDone?.(run)).toBe(false);
});
