import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';
import { $ } from 'zx';
import { kubeconfigOf, kubectlOf, namespace } from '../../test/e2e/cluster.ts';
import type { Benchmark } from './bench.ts';
import type { Figure } from './figure.ts';

const service = 'noti-service';
const requests = 500;

/** Measures a request to a pod through `forward` and through `kubectl port-forward`. */
export const measureForward: Benchmark = async ({ checkout }) => {
  const ours = checkout.start('forward', service, '--json');
  await ours.said('"port"');
  const [, port] = /"port":(\d+)/.exec(ours.printed()) ?? [];
  const kubectl = $({
    quiet: true,
  })`${kubectlOf(checkout)} --kubeconfig=${kubeconfigOf(checkout)} --namespace=${namespace} port-forward service/${service} :8002`;
  try {
    const [line = ''] = await firstLines(kubectl.stdout, 1);
    const theirPort = /:(\d+) ->/.exec(line)?.[1];
    return [
      ...(await measure('forward', Number(port))),
      ...(await measure('kubectl port-forward', Number(theirPort))),
    ];
  } finally {
    ours.signalGroup('SIGINT');
    await ours.ended;
    await kubectl.nothrow().kill('SIGINT');
  }
};

async function measure(what: string, port: number): Promise<readonly Figure[]> {
  const keepAliveAgent = new Agent({ keepAlive: true, maxSockets: 1 });
  const request = async (agent: Agent | false) => {
    const start = performance.now();
    await fetchOnce(port, agent);
    return performance.now() - start;
  };
  const series = async (agent: Agent | false) => {
    await request(agent);
    const values: number[] = [];
    for (let each = 0; each < requests; each += 1) values.push(await request(agent));
    return values;
  };
  const figures: readonly Figure[] = [
    { what: `${what}: request, kept alive`, unit: 'ms', values: await series(keepAliveAgent) },
    { what: `${what}: request, new connection`, unit: 'ms', values: await series(false) },
  ];
  keepAliveAgent.destroy();
  return figures;
}

function fetchOnce(port: number, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/health/live', agent }, (response) => {
      response.resume().once('end', resolve);
    }).once('error', reject);
  });
}

async function firstLines(stream: NodeJS.ReadableStream, count: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}
