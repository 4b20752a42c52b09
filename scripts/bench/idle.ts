import { sleep } from 'zx';
import { nodeOf } from '../../test/e2e/cluster.ts';
import { withBareCluster } from './bare-cluster.ts';
import type { Benchmark } from './bench.ts';
import type { Figure } from './figure.ts';
import { type NodeUsage, readUsage, toShares } from './node-usage.ts';

/** Milliseconds in which clusters come to rest. */
const settling = 60_000;
/** Milliseconds of one measurement. */
const period = 60_000;
/** Programs below this percentage of a core are left out. */
const leastShown = 0.2;

/**
 * What the platform uses while nobody uses it, beside a cluster that kind alone has created from the same node image, both
 * during the same minutes.
 */
export const measureIdle: Benchmark = ({ checkout, longRuns }) =>
  withBareCluster(checkout, async (bare) => {
    await sleep(settling);
    const nodes = [nodeOf(checkout.name), nodeOf(bare)];
    const read = () => Promise.all(nodes.map(readUsage));
    const readings = [await read()];
    for (let run = 0; run < longRuns; run += 1) {
      await sleep(period);
      readings.push(await read());
    }
    const of = (at: number) => readings.flatMap((each) => each[at] ?? []);
    return [
      ...describe('the platform at rest', of(0), { cpu: 12, memory: 800 }),
      ...describe('a bare kind cluster at rest', of(1)),
    ];
  });

function describe(
  what: string,
  readings: readonly NodeUsage[],
  target: { readonly cpu?: number; readonly memory?: number } = {},
): readonly Figure[] {
  const shares = readings.slice(1).flatMap((after, at) => {
    const before = readings[at];
    return before ? [toShares(before, after)] : [];
  });
  const names = [...new Set(shares.flatMap(({ programs }) => [...programs.keys()]))];
  const valuesOf = (name: string) => shares.map(({ programs }) => programs.get(name) ?? 0);
  const shown = names.filter((name) => Math.max(...valuesOf(name)) >= leastShown);
  return [
    {
      ...{ what: `${what}: CPU`, unit: '% of a core', values: shares.map(({ all }) => all) },
      ...(target.cpu !== undefined && { target: target.cpu }),
    },
    ...shown
      .toSorted((one, other) => Math.max(...valuesOf(other)) - Math.max(...valuesOf(one)))
      .map((name): Figure => ({ what: `  ${name}`, unit: '% of a core', values: valuesOf(name) })),
    {
      ...{ what: '  its memory', unit: 'MB', values: readings.slice(1).map(({ megabytes }) => megabytes) },
      ...(target.memory !== undefined && { target: target.memory }),
    },
  ];
}
