import { loadEnvironment, type Override } from '../../src/config/load.ts';
import { Failure } from '../../src/lib/failure.ts';

/** The message that the environment of the checkout is refused with. Throws what no person should meet. */
export async function refusal(checkout: string, overrides: readonly Override[] = []): Promise<string> {
  try {
    await loadEnvironment({ checkout, name: 'local-kind', overrides });
  } catch (error) {
    if (error instanceof Failure && error.exitCode === 2) return error.message;
    throw error;
  }
  throw new Error('the environment was not refused');
}
