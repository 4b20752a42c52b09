import { expect, test } from 'vitest';
import { valuesFiles } from '../../src/config/values.ts';

const environment = { name: 'local-kind' };

test('values come in the order base, environment, secrets, generated', () => {
  const files = valuesFiles({
    checkout: '/w',
    environment,
    secrets: '/s/secrets.yaml',
    generated: '/s/values.yaml',
  });
  expect(files).toEqual([
    '/w/helm/environments/base.yaml',
    '/w/helm/environments/local-kind.yaml',
    '/s/secrets.yaml',
    '/s/values.yaml',
  ]);
});

test('without secrets and before a run there are the two of the repository', () => {
  expect(valuesFiles({ checkout: '/w', environment })).toEqual([
    '/w/helm/environments/base.yaml',
    '/w/helm/environments/local-kind.yaml',
  ]);
});
