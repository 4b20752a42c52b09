import type { Watch } from '../../src/lib/watchdog.ts';

/** A watch that ends nothing. */
export const noWatch: Watch = (signal, call) => call(signal ?? new AbortController().signal);
