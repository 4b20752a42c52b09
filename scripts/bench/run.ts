import { $ } from 'zx';
import type { Checkout } from '../../test/e2e/checkout.ts';

/** Runs Node in the checkout, like its npm scripts. Resolves to seconds. @throws {Error} when it fails. */
export async function runNode({ root, env }: Checkout, args: readonly string[]): Promise<number> {
  const { duration } = await $({ cwd: root, env, quiet: true })`node ${args}`;
  return duration / 1000;
}
