import type { Checkout } from '../../test/e2e/checkout.ts';
import type { Figure } from './figure.ts';

/** What the benchmarks work on: a copy of the checkout whose cluster runs with all services. */
export interface Bench {
  readonly checkout: Checkout;
  /** Of the ingress, such as `http://localhost:8080/`. */
  readonly origin: string;
  /** Counted runs of what takes seconds. */
  readonly runs: number;
  /** Of what takes longer than half a minute. */
  readonly longRuns: number;
}

/** Measures one topic. It leaves the cluster as it found it, with all services ready. */
export type Benchmark = (bench: Bench) => Promise<readonly Figure[]>;
