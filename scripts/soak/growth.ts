/** How much a figure may rise without counting as growth. */
export interface Tolerance {
  /** In the unit of the figure. */
  readonly absolute: number;
  /** As a share of the first value that is compared. */
  readonly share?: number;
  /** A figure that something bounds, such as a log that is rotated, may grow up to this. */
  readonly limit?: number;
}

export interface Growth {
  readonly verdict: 'steady' | 'below its limit' | 'grew' | 'too few samples';
  /** Medians of the first, the middle and the last third after the warm-up; none where there are too few samples. */
  readonly medians: readonly number[];
}

/** Fewer samples in a third say nothing. */
const samplesPerThird = 3;

/**
 * Judges the values that one figure had, in order, after the warm-up. It grew when its median rose by more than the tolerance
 * from the first third to the middle one, and again to the last: what rises once and then stays is no growth, such as a cache
 * that is full.
 */
export function judgeGrowth(values: readonly number[], { absolute, share = 0, limit }: Tolerance): Growth {
  const third = Math.floor(values.length / 3);
  if (third < samplesPerThird) return { verdict: 'too few samples', medians: [] };
  const first = toMedian(values.slice(0, third));
  const middle = toMedian(values.slice(third, -third));
  const last = toMedian(values.slice(-third));
  const medians = [first, middle, last];
  if (limit !== undefined) {
    return { verdict: Math.max(...values) <= limit ? 'below its limit' : 'grew', medians };
  }
  const allowed = Math.max(absolute, Math.abs(first) * share);
  const grew = middle - first > allowed && last - middle > allowed;
  return { verdict: grew ? 'grew' : 'steady', medians };
}

/** The values that were measured after the warm-up, which is this share of the whole time. */
export function withoutWarmUp<T extends { readonly seconds: number }>(
  samples: readonly T[],
  duration: number,
  share = 0.2,
): readonly T[] {
  return samples.filter(({ seconds }) => seconds >= duration * share);
}

function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
