import { $ } from 'zx';
import type { Checkout } from '../../test/e2e/checkout.ts';

/** Runs Node in the checkout, as its npm scripts do. Resolves to seconds. @throws {Error} unless it ends well. */
export async function runNode({ root, env }: Checkout, args: readonly string[]): Promise<number> {
  const { duration } = await $({ cwd: root, env, quiet: true })`node ${args}`;
  return duration / 1000;
}
