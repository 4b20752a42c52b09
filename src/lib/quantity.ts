const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** An amount as Kubernetes writes it (`500m`, `64Mi`, `1e3`) as a number of cores, bytes or pieces. */
export function parseQuantity(text: string): number {
  const [, number = '', suffix = ''] = /^([-+]?[\d.]+(?:[eE][-+]?\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = factors[suffix];
  if (number === '' || factor === undefined) throw new Error(`not an amount: ${text}`);
  return Number(number) * factor;
}

/** An amount of a resource for the user: `500m CPU`, `1.5 GiB`, `110 pods`. Only 0 is shown as 0. */
export function toAmount(resource: string, value: number): string {
  if (resource === 'cpu') return `${round(value * 1000)}m CPU`;
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return `${round(value)} ${resource}`;
  if (value === 0) return '0 MiB';
  const [unit, size] = units.find(([, least]) => value >= least) ?? ['B', 1];
  return `${round(value / size)} ${unit}`;
}

const units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
