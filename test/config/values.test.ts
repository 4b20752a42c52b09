import { expect, test } from 'vitest';
import { toServiceValues, valuesFiles } from '../../src/config/values.ts';

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

test('the files that an environment lists override its own, and secrets override them', () => {
  const named = { ...environment, values: ['helm/mine.yaml'] };
  const options = { checkout: '/w', environment: named, secrets: '/s/secrets.yaml' };
  expect(valuesFiles({ ...options, fromSource: true })).toEqual([
    '/w/helm/environments/base.yaml',
    '/w/helm/environments/local-kind.yaml',
    '/w/helm/from-source.yaml',
    '/w/helm/mine.yaml',
    '/s/secrets.yaml',
  ]);
});

test('without secrets and before a run there are the two of the repository', () => {
  expect(valuesFiles({ checkout: '/w', environment })).toEqual([
    '/w/helm/environments/base.yaml',
    '/w/helm/environments/local-kind.yaml',
  ]);
});

test('a service gets its image, the ports and the needs of all', () => {
  const ports = { httpPort: 80, httpsPort: 443 };
  const needs = { 'auth-service': ['redis'], 'user-service': ['auth-service'] };
  const values = {
    images: { 'auth-service': 'x:1' },
    public: ports,
    services: { 'auth-service': { needs: ['redis'] }, 'user-service': { needs: ['auth-service'] } },
  };
  const run = { ports, needs };
  expect(toServiceValues('auth-service', 'x:1', run)).toEqual(values);
});
