type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Counter {
  add(labels: Labels, by?: number): void;
}

interface Histogram {
  observe(labels: Labels, value: number): void;
}

/** Metrics of one process in the text format of Prometheus, version 0.0.4. */
export interface Metrics {
  counter(name: string, help: string): Counter;
  /** `bounds` are the upper bounds of the buckets in ascending order, without infinity. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** `read` is called for each scrape. */
  gauge(name: string, help: string, read: () => readonly Sample[]): void;
  render(): string;
}

export function createMetrics(): Metrics {
  const families: (() => string[])[] = [];

  function addFamily(name: string, help: string, type: string, lines: () => string[]): void {
    families.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()]);
  }

  return {
    counter(name, help) {
      const values = new Map<string, number>();
      addFamily(name, help, 'counter', () =>
        [...values].map(([labels, value]) => `${name}${labels} ${value}`),
      );
      return {
        add(labels, by = 1) {
          const key = toText(labels);
          values.set(key, (values.get(key) ?? 0) + by);
        },
      };
    },

    histogram(name, help, bounds) {
      const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();
      addFamily(name, help, 'histogram', () =>
        [...series.values()].flatMap(({ labels, counts, sum, count }) => [
          ...bounds.map((le, i) => `${name}_bucket${toText({ ...labels, le: String(le) })} ${counts[i]}`),
          `${name}_bucket${toText({ ...labels, le: '+Inf' })} ${count}`,
          `${name}_sum${toText(labels)} ${sum}`,
          `${name}_count${toText(labels)} ${count}`,
        ]),
      );
      return {
        observe(labels, value) {
          const key = toText(labels);
          const seen = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 };
          series.set(key, seen);
          // Buckets are cumulative: each counts all values up to its bound.
          bounds.forEach((bound, i) => {
            if (value <= bound) seen.counts[i] = (seen.counts[i] ?? 0) + 1;
          });
          seen.sum += value;
          seen.count += 1;
        },
      };
    },

    gauge(name, help, read) {
      addFamily(name, help, 'gauge', () =>
        read().map(({ labels, value }) => `${name}${toText(labels)} ${value}`),
      );
    },

    render() {
      return `${families.flatMap((lines) => lines()).join('\n')}\n`;
    },
  };
}

function toText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
