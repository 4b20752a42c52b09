import { beforeAll, describe, expect } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { kubectl, listObjects, namespace } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();

beforeAll(async () => {
  await checkout.up();
});

/** Whether a program in a service's pod reaches a Service's port, by name, within two seconds. */
async function reaches(from: string, host: string, port: number): Promise<boolean> {
  const program = `
    const socket = require('node:net').connect(${port}, '${host}');
    socket.once('connect', () => process.exit(0)).once('error', () => process.exit(1));
    setTimeout(() => process.exit(1), 2_000);
  `;
  const where = [`deployment/${from}`, `--namespace=${namespace}`];
  return kubectl(checkout, 'exec', ...where, '--', 'node', '--eval', program).then(
    () => true,
    () => false,
  );
}

describe('network policies', () => {
  test('status and doctor say that they are enforced', async () => {
    const policies = await listObjects(checkout, 'networkpolicies', `--namespace=${namespace}`);
    expect(policies.length).toBeGreaterThan(8);
    const status = await checkout.run('status', '--json');
    const { cluster } = StatusReport.parse(JSON.parse(status.stdout));
    expect(cluster.networkPolicies?.state).toBe('enforced');
    const doctor = await checkout.run('doctor', '--json');
    const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; detail: string }[] };
    expect(checks.find(({ id }) => id === 'network-policies')?.detail).toBe('enforced');
  });

  test.each([
    ['board-service', 'user-service', 8081, true],
    ['board-service', 'postgres', 5432, true],
    ['frontend', 'user-service', 8081, true],
    ['frontend', 'postgres', 5432, false],
    ['auth-service', 'postgres', 5432, false],
    ['user-service', 'board-service', 8000, false],
  ])('%s reaches %s:%i: %s', async (from, host, port, expected) => {
    expect(await reaches(from, host, port)).toBe(expected);
  });
});
