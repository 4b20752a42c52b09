import type { WhyReport } from '../../src/commands/context/why/why-report.ts';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';
import { kubeconfigOf, kubectl, kubectlOf, namespace } from './cluster.ts';

export type Cause = WhyReport['causes'][number];

/** Milliseconds until a fault must be detected: containers must crash twice, and probes must reach their threshold. */
const timeout = 100_000;

/** Runs `why` and returns its report. */
export async function getWhyReport(checkout: Checkout, ...words: string[]): Promise<WhyReport> {
  const { stdout, stderr } = await checkout.run('why', ...words, '--json');
  if (stdout === '') throw new Error(`why printed nothing:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Runs `why` until all expected causes are found, or until the timeout. Resolves to the last report. */
export async function waitForCauses(
  checkout: Checkout,
  expected: readonly ((cause: Cause) => boolean)[],
): Promise<WhyReport> {
  const end = performance.now() + timeout;
  for (;;) {
    const report = await getWhyReport(checkout);
    const isComplete = expected.every((matches) => report.causes.some(matches));
    if (isComplete || performance.now() > end) return report;
  }
}

/** Changes an object with kubectl, like a user who experiments. */
export async function patch(checkout: Checkout, object: string, change: object): Promise<void> {
  await kubectl(checkout, 'patch', `--namespace=${namespace}`, object, `--patch=${JSON.stringify(change)}`);
}

/** Creates or updates an object. */
export async function apply(checkout: Checkout, object: object): Promise<void> {
  const words = [`--kubeconfig=${kubeconfigOf(checkout)}`, 'apply', '--filename=-'];
  await exec(kubectlOf(checkout), words, { input: JSON.stringify(object) });
}

/** Fields of a container. */
interface Change {
  readonly [key: string]: unknown;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
}

/** Changes the container of a service. The new pods request almost no CPU, because they run beside the old ones. */
export async function patchService(
  checkout: Checkout,
  name: string,
  { resources, ...container }: Change,
): Promise<void> {
  const requests = { cpu: '1m', ...resources?.requests };
  const spec = { containers: [{ name, ...container, resources: { ...resources, requests } }] };
  await patch(checkout, `deployment/${name}`, { spec: { template: { spec } } });
}

/** Prints the causes to stderr. */
export function show({ causes }: WhyReport): void {
  for (const { about, line, evidence, affects } of causes) {
    process.stderr.write(
      `  ${about ?? affects.join(', ')}: ${line}${evidence === undefined ? '' : ` (${evidence.slice(0, 160)})`}; hits ${affects.length}\n`,
    );
  }
}
