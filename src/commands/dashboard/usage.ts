import type { UsageView } from '../../dashboard/dashboard-state.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import { type ApiReader, isConnectionLost } from '../../tools/kubernetes/api-server.ts';

type Usage = Readonly<Record<string, UsageView>>;

/** Seconds of an hour, and between two samples. */
const range = 3_600;
const step = 60;

const prometheus = '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query_range';

interface RangeResponse {
  readonly data: {
    readonly result: readonly {
      readonly metric: { readonly container?: string };
      readonly values: readonly (readonly [seconds: number, value: string])[];
    }[];
  };
}

interface PodMetrics {
  readonly items: readonly {
    readonly timestamp: string;
    readonly containers: readonly {
      readonly name: string;
      readonly usage: { readonly cpu: string; readonly memory: string };
    }[];
  }[];
}

/**
 * Memory and CPU by the name of the container, which is that of its service: the last hour from Prometheus, else the
 * current values of metrics-server; nothing without both.
 */
export async function readUsage(api: ApiReader, namespace: string, signal: AbortSignal): Promise<Usage> {
  try {
    return (await readHour(api, namespace, signal)) ?? (await readCurrent(api, namespace, signal)) ?? {};
  } catch (error) {
    signal.throwIfAborted();
    // Neither of them is deployed, or it does not respond.
    if (isConnectionLost(error)) return {};
    throw error;
  }
}

async function readHour(api: ApiReader, namespace: string, signal: AbortSignal): Promise<Usage | undefined> {
  const end = Math.floor(Date.now() / 1000);
  const ask = async (query: string) => {
    const words = new URLSearchParams({
      query,
      start: String(end - range),
      end: String(end),
      step: String(step),
    });
    const { data } = await api.get<RangeResponse>(`${prometheus}?${words}`, signal);
    return new Map(data.result.map(({ metric, values }) => [metric.container ?? '', new Map(values)]));
  };
  const labels = `{namespace="${namespace}",container!=""}`;
  try {
    const [memory, cpu] = await Promise.all([
      ask(`sum by (container) (container_memory_working_set_bytes${labels})`),
      ask(`sum by (container) (rate(container_cpu_usage_seconds_total${labels}[3m]))`),
    ]);
    if (memory.size === 0) return undefined;
    return Object.fromEntries(
      [...memory].map(([name, values]) => [
        name,
        {
          samples: [...values].map(([seconds, bytes]) => ({
            at: seconds * 1000,
            bytes: Number(bytes),
            millicores: 1000 * Number(cpu.get(name)?.get(seconds) ?? 0),
          })),
        },
      ]),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionLost(error)) return undefined;
    throw error;
  }
}

async function readCurrent(api: ApiReader, namespace: string, signal: AbortSignal): Promise<Usage> {
  const { items } = await api.get<PodMetrics>(
    `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
    signal,
  );
  const usage: Record<string, UsageView> = {};
  for (const { timestamp, containers } of items) {
    for (const { name, usage: used } of containers) {
      const known = usage[name]?.samples[0] ?? { at: Date.parse(timestamp), bytes: 0, millicores: 0 };
      const bytes = known.bytes + parseQuantity(used.memory);
      const millicores = known.millicores + 1000 * parseQuantity(used.cpu);
      usage[name] = { samples: [{ ...known, bytes, millicores }] };
    }
  }
  return usage;
}
