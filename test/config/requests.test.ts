import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { sumRequests } from '../../src/config/requests.ts';
import { selectServices } from '../../src/config/services.ts';
import { resourcesOf, serviceTable } from '../service-table.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const environment = { name: 'local-kind' };
const defaults = `
exports:
  defaults:
    serviceDefaults:
      resources: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 1Gi } }
      replicas: 1
      autoscaling: { enabled: false, minReplicas: 2 }
`;

/** A checkout with these values files, by their paths below `helm/`. */
async function makeCheckout(files: Readonly<Record<string, string>>): Promise<string> {
  const checkout = await makeTemporaryFolder();
  for (const [path, text] of Object.entries({ 'charts/wealist-common/values.yaml': defaults, ...files })) {
    const file = join(checkout, 'helm', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return checkout;
}

const sum = (checkout: string, services: readonly string[], fromSource: readonly string[] = []) =>
  sumRequests({
    checkout,
    fromSource: new Set(fromSource),
    environment,
    selection: { services, infrastructure: ['redis'] },
    controller: 'traefik',
  });

test('each service as its layers say, with its replicas, and the infrastructure and the controller', async () => {
  const checkout = await makeCheckout({
    'charts/auth-service/values.yaml':
      'services: { auth-service: { resources: { requests: { memory: 256Mi } } } }',
    'charts/wealist-infrastructure/values.yaml':
      'infrastructure: { redis: { resources: { requests: { cpu: 100m, memory: 128Mi } } }, postgres: { resources: { requests: { cpu: 8 } } } }',
    'charts/ingress-traefik/values.yaml':
      'ingress: { traefik: { resources: { requests: { cpu: 50m, memory: 64Mi } } } }',
    'environments/base.yaml': 'services: { auth-service: { resources: { requests: { cpu: 200m } } } }',
    'environments/local-kind.yaml': `
services:
  auth-service: { resources: { requests: { cpu: 150m } } }
  chat-service: { replicas: 3 }
  noti-service: { autoscaling: { enabled: true } }
`,
  });
  const { cpus, memory } = await sum(checkout, ['auth-service', 'chat-service', 'noti-service']);
  expect(cpus).toBeCloseTo(0.15 + 3 * 0.05 + 2 * 0.05 + 0.1 + 0.05);
  expect(memory / 2 ** 20).toBe(256 + 3 * 64 + 2 * 64 + 128 + 64);
});

test('a service that is built from source as helm/from-source.yaml says', async () => {
  const checkout = await makeCheckout({
    'from-source.yaml': 'serviceDefaults: { resources: { requests: { memory: 512Mi } } }',
  });
  const { memory } = await sum(checkout, ['auth-service', 'chat-service'], ['chat-service']);
  expect(memory / 2 ** 20).toBe(64 + 512);
});

test('an invalid quantity is reported with its place', async () => {
  const checkout = await makeCheckout({
    'environments/base.yaml':
      'services:\n  auth-service:\n    resources:\n      requests:\n        memory: lots\n',
  });
  await expect(sum(checkout, ['auth-service'])).rejects.toMatchObject({
    message: expect.stringMatching(/^helm\/environments\/base\.yaml:5:17 .*got "lots", expected a quantity/),
    exitCode: 2,
  });
});

test('the platform of this checkout: its services, and what it stands on', async () => {
  const checkout = resolve(import.meta.dirname, '../..');
  const local = await loadEnvironment({ checkout, name: 'local-kind' });
  const selection = selectServices(local, []);
  const { cpus, memory } = await sumRequests({
    checkout,
    environment: local,
    selection,
    controller: 'traefik',
    fromSource: new Set(),
  });
  const charts = Object.keys(serviceTable);
  const services = charts.reduce((sum, chart) => {
    const amount = resourcesOf(chart).requests.memory ?? '';
    expect(amount).toMatch(/^[0-9]+Mi$/);
    return sum + Number.parseInt(amount, 10);
  }, 0);
  // The services, PostgreSQL, Redis, S3 and Traefik, with 10m each.
  expect(cpus * 1000).toBeCloseTo(10 * (charts.length + 4));
  // PostgreSQL, Redis and S3 448Mi; Traefik 64Mi.
  expect(memory / 2 ** 20).toBe(services + 512);
});
