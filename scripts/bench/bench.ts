import type { Checkout } from '../../test/e2e/checkout.ts';
import type { Figure } from './figure.ts';

/** The environment of benchmarks: a copy of the checkout with a cluster that runs all services. */
export interface Bench {
  readonly checkout: Checkout;
  /** URL of the ingress, such as `http://localhost:8080/`. */
  readonly origin: string;
  /** Number of runs of measurements that take seconds. */
  readonly runs: number;
  /** Number of runs of measurements that take longer than half a minute. */
  readonly longRuns: number;
}

/** Measures one topic. Afterwards all services are ready again. */
export type Benchmark = (bench: Bench) => Promise<readonly Figure[]>;
