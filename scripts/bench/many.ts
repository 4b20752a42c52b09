import { type Checkout, makeCheckout } from '../../test/e2e/checkout.ts';
import type { Benchmark } from './bench.ts';
import { type Figure, repeat } from './figure.ts';
import { generateServices } from './generate-services.ts';
import { runNode } from './run.ts';

/** How many services the environment has in addition to its eight. */
const added = 32;

const targets: Readonly<Record<string, number>> = { up: 2, status: 1.2, why: 1.5 };

/** The most frequent commands with eight services and with forty, each in its own cluster, and the first `up` of the latter. */
export const measureMany: Benchmark = async ({ checkout, runs }) => {
  const many = await makeCheckout();
  try {
    await generateServices(many.root, added);
    const { milliseconds } = await many.up();
    const figures: Figure[] = [
      {
        ...{ what: 'up with 40 services: no cluster → all ready and responding', unit: 's', target: 240 },
        values: [milliseconds / 1000],
      },
    ];
    const counts = [
      [8, checkout],
      [40, many],
    ] as const;
    for (const [command, target] of Object.entries(targets)) {
      for (const [count, each] of counts) {
        const values = await repeat(runs, () => runNode(each, toWords(command, each)));
        figures.push({
          ...{ what: `${command} with ${count} services, nothing changed`, unit: 's', values },
          ...(count === 40 && { target }),
        });
      }
    }
    return figures;
  } finally {
    await many.remove();
  }
};

function toWords(command: string, { name }: Checkout): readonly string[] {
  return ['src/bin.js', command, ...(command === 'up' ? [`--name=${name}`] : [])];
}
