import { $, sleep } from 'zx';
import { kubeconfigOf, kubectl, kubectlOf, listObjects, namespace } from '../../test/e2e/cluster.ts';
import type { Bench, Benchmark } from './bench.ts';
import type { Figure } from './figure.ts';
import { measurePeak } from './peak.ts';

const service = 'noti-service';
const pod = 'bench-logs';
/** Less than 10 MiB, at which a node rotates a container's log; only the newest file is read. */
const lines = 40_000;

/** Reads the log of one pod with `logs` and with `kubectl logs`. */
export const measureClusterLogs: Benchmark = async (bench) => {
  await startPod(bench);
  try {
    const { checkout, runs } = bench;
    const ours = ['node', 'src/bin.js', 'logs', service, '--no-follow'];
    const flags = [`--kubeconfig=${kubeconfigOf(checkout)}`, `--namespace=${namespace}`, '--timestamps'];
    return [
      ...(await measure(bench, "logs of a cluster's pod", ours, runs)),
      ...(await measure(
        bench,
        'kubectl logs of the same',
        [kubectlOf(checkout), 'logs', pod, ...flags],
        runs,
      )),
    ];
  } finally {
    await kubectl(bench.checkout, 'delete', 'pod', pod, `--namespace=${namespace}`, '--now');
  }
};

/** Starts a pod of the service with a long log. */
async function startPod({ checkout }: Bench): Promise<void> {
  const [servicePod] = await listObjects(
    checkout,
    'pods',
    `--namespace=${namespace}`,
    `--selector=app=${service}`,
  );
  const [container] = servicePod?.spec.containers ?? [];
  if (!container) throw new Error(`${service} has no pod`);
  const write = `for (let at = 0; at < ${lines}; at++) console.log(JSON.stringify({ time: new Date(), level: 'info',
    service: '${service}', message: 'request', path: '/api/notifications', status: 200, at })); setInterval(() => {}, 1e6);`;
  const object = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: pod, namespace },
      labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': service },
    },
    spec: {
      ...{
        restartPolicy: 'Never',
        securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      },
      containers: [
        {
          ...{ name: service, image: container.image, command: ['node', '--eval', write] },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
  const args = [`--kubeconfig=${kubeconfigOf(checkout)}`, 'create', '--filename=-'];
  await $({ input: JSON.stringify(object), quiet: true })`${kubectlOf(checkout)} ${args}`;
  const last = () =>
    kubectl(checkout, 'logs', pod, `--namespace=${namespace}`, '--tail=1').catch(() => undefined);
  while (!(await last())?.stdout.includes(`"at":${lines - 1}`)) await sleep(500);
}

/** Measures lines per second, from the first output to the end, and peak memory. */
async function measure(
  { checkout: { root, env } }: Bench,
  what: string,
  command: readonly string[],
  runs: number,
): Promise<readonly Figure[]> {
  const speeds: number[] = [];
  const peaks: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    let first = 0;
    const reading = $({ cwd: root, env, quiet: true })`${command}`;
    const { peak, stop } = measurePeak(reading.pid);
    reading.stdout.once('data', () => (first = performance.now()));
    const { stdout } = await reading;
    stop();
    const count = stdout.split('\n').filter((line) => line.includes('/api/notifications')).length;
    if (count !== lines) throw new Error(`${what}: ${count} of ${lines} lines`);
    speeds.push(lines / ((performance.now() - first) / 1000));
    peaks.push(peak.megabytes);
  }
  return [
    { what, unit: 'lines/s', values: speeds },
    { what: '  its memory', unit: 'MB', values: peaks },
  ];
}
