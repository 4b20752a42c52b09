import { createInterface } from 'node:readline';
import { $ } from 'zx';
import { kubeconfigOf, kubectlOf, namespace } from '../../test/e2e/cluster.ts';
import type { Benchmark } from './bench.ts';
import type { Figure } from './figure.ts';
import { timeRequests } from './requests.ts';

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
  const url = `http://127.0.0.1:${port}/health/live`;
  const keptAlive = await timeRequests(url, requests, 'kept alive');
  return [
    { what: `${what}: request, kept alive`, unit: 'ms', values: keptAlive },
    {
      what: `${what}: request, new connection`,
      unit: 'ms',
      values: await timeRequests(url, requests, 'new'),
    },
  ];
}

async function firstLines(stream: NodeJS.ReadableStream, count: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}
