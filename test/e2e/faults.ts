import type { WhyReport } from '../../src/commands/why/why-report.ts';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';
import { kubeconfigOf, kubectl, kubectlOf, namespace } from './cluster.ts';

export type Cause = WhyReport['causes'][number];

/** Milliseconds until a fault must show: a crash has to happen twice, and a probe has its patience. */
const timeout = 100_000;

/** What `why` says now. */
export async function askWhy(checkout: Checkout, ...words: string[]): Promise<WhyReport> {
  const { stdout, stderr } = await checkout.run('why', ...words, '--json');
  if (stdout === '') throw new Error(`why said nothing:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Asks until every one of these is among the causes; resolves to the last answer, whether they are or not. */
export async function waitForCauses(
  checkout: Checkout,
  isThere: readonly ((cause: Cause) => boolean)[],
): Promise<WhyReport> {
  const end = performance.now() + timeout;
  for (;;) {
    const report = await askWhy(checkout);
    const isComplete = isThere.every((matches) => report.causes.some(matches));
    if (isComplete || performance.now() > end) return report;
  }
}

/** Changes an object of the platform by hand, as somebody might who tries something. */
export async function patch(checkout: Checkout, object: string, change: object): Promise<void> {
  await kubectl(checkout, 'patch', `--namespace=${namespace}`, object, `--patch=${JSON.stringify(change)}`);
}

/** Makes the cluster have an object. */
export async function apply(checkout: Checkout, object: object): Promise<void> {
  const words = [`--kubeconfig=${kubeconfigOf(checkout)}`, 'apply', '--filename=-'];
  await exec(kubectlOf(checkout), words, { input: JSON.stringify(object) });
}

/** Of a container: any of its keys. */
interface Change {
  readonly [key: string]: unknown;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
}

/** Changes the container of a service. The pods beside the old ones ask for next to nothing: two cores have no more. */
export async function patchService(
  checkout: Checkout,
  name: string,
  { resources, ...container }: Change,
): Promise<void> {
  const requests = { cpu: '1m', ...resources?.requests };
  const spec = { containers: [{ name, ...container, resources: { ...resources, requests } }] };
  await patch(checkout, `deployment/${name}`, { spec: { template: { spec } } });
}

/** The causes as `why` prints them to a person, to the screen of whoever runs the tests. */
export function show({ causes }: WhyReport): void {
  for (const { about, line, evidence, affects } of causes) {
    process.stderr.write(
      `  ${about ?? affects.join(', ')}: ${line}${evidence === undefined ? '' : ` (${evidence.slice(0, 160)})`}; hits ${affects.length}\n`,
    );
  }
}
