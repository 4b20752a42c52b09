import { test as anyTest, inject } from 'vitest';
import { type Checkout, type CheckoutLocation, openCheckout } from './checkout.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The checkout that all scenarios share; undefined without a container engine. */
    readonly checkout: CheckoutLocation | undefined;
  }
}

const location = inject('checkout');

/** A test that needs a container engine, and is skipped without one. */
export const test = anyTest.skipIf(location === undefined);

/** A test that also needs something else of the machine, and is skipped without it. */
export const testIf = (isPossible: boolean) => anyTest.skipIf(location === undefined || !isPossible);

/** The checkout that all scenarios share. Requires a container engine. */
export function sharedCheckout(): Checkout {
  return openCheckout(location ?? { folder: '', name: '' });
}
