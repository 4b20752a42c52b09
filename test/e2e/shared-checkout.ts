import { test as anyTest, inject } from 'vitest';
import { type Checkout, openCheckout, type Place } from './checkout.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The checkout that all scenarios share; undefined where no engine is to be had. */
    readonly checkout: Place | undefined;
  }
}

const place = inject('checkout');

/** A test that needs a container engine, and is skipped where there is none. */
export const test = anyTest.skipIf(place === undefined);

/** The checkout whose cluster the scenarios share. Only for what runs where there is an engine. */
export function sharedCheckout(): Checkout {
  return openCheckout(place ?? { folder: '', name: '' });
}
