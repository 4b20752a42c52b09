import type { TestProject } from 'vitest/node';
import { findEngine } from '../../src/machine/engine.ts';
import { readHost } from '../../src/machine/host.ts';
import { makeCheckout } from './checkout.ts';
import { removeLeftovers } from './leftovers.ts';

/**
 * Creates the shared checkout before the first scenario, and removes it after the last one. Also removes leftovers of
 * killed runs.
 */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const installs = process.env.WEALIST_E2E_ENGINE === 'install';
  if (!installs && !(await findEngine(await readHost()))) {
    process.stderr.write(
      [
        '',
        'SKIPPED: the real-cluster tests need a container engine, and none runs here.',
        'Start one, or let the tests install it as `up` does:',
        '  WEALIST_E2E_ENGINE=install npm run test:e2e',
        '',
        '',
      ].join('\n'),
    );
    provide('checkout', undefined);
    return async () => {};
  }
  await removeLeftovers();
  const checkout = await makeCheckout();
  const { folder, name } = checkout;
  provide('checkout', { folder, name });
  return checkout.remove;
}
