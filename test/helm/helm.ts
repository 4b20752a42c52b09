import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { valuesFiles } from '../../src/config/values.ts';
import { exec } from '../../src/tools/exec.ts';
import { serviceTable } from '../service-table.ts';
import type { Manifest } from './manifests.ts';

const checkout = join(import.meta.dirname, '../..');
const testValues = join(import.meta.dirname, 'values');

/** The helm that the tests run: WEALIST_HELM, else the one on PATH. */
export const findHelm = () => process.env.WEALIST_HELM || 'helm';

/** One chart for each service of the table. */
export const serviceCharts: readonly string[] = Object.keys(serviceTable);

const allCharts: readonly string[] = [...serviceCharts, 'wealist-infrastructure', 'ingress-traefik'];
/** The namespace of each chart of an extra. */
const extraNamespaces = { 'metrics-server': 'metrics', 'wealist-monitoring': 'monitoring' } as const;

/** Each environment's namespace; base: base.yaml alone, as an environment without anything of its own would be. */
export const namespaces = {
  base: 'wealist-kind-local',
  'local-kind': 'wealist-kind-local',
  'local-ubuntu': 'wealist-dev',
  dev: 'wealist-dev',
  staging: 'wealist-staging',
  prod: 'wealist-prod',
} as const;
export type EnvironmentName = keyof typeof namespaces;

/** Those that run elsewhere: all that they are rendered from is in Git. */
export const remoteEnvironments = ['local-ubuntu', 'dev', 'staging', 'prod'] as const;
export const environments = ['local-kind', ...remoteEnvironments] as const;

export interface RenderOptions {
  readonly environment?: EnvironmentName;
  /** Over all files, as the CLI hands over what only a run knows. */
  readonly values?: object;
  /** In place of those of the environment and of the tests. */
  readonly files?: readonly string[];
}

/** The files that a release gets, in the order of `valuesFiles`; of a remote environment those in Git. */
export function filesOf(environment: EnvironmentName): readonly string[] {
  const isRemote = remoteEnvironments.some((name) => name === environment);
  const files = valuesFiles({
    checkout,
    environment: { name: environment },
    secrets: isRemote ? undefined : join(testValues, 'secrets.yaml'),
    generated: isRemote ? undefined : join(testValues, 'images.yaml'),
  });
  return [...new Set(files)];
}

/** The charts that an environment consists of; the ingress controller of a remote one is not ours. */
export function chartsOf(environment: EnvironmentName): readonly string[] {
  return remoteEnvironments.some((name) => name === environment)
    ? [...serviceCharts, 'wealist-infrastructure']
    : allCharts;
}

/** A chart as text. @throws {CommandFailure} with helm's words when it refuses. */
export async function renderText(
  chart: string,
  { environment = 'local-kind', values = {}, files = filesOf(environment) }: RenderOptions = {},
): Promise<string> {
  const namespace = namespaceOf(chart, environment);
  const { stdout } = await exec(
    findHelm(),
    [
      ...['template', chart, join(checkout, 'helm/charts', chart), `--namespace=${namespace}`],
      ...files.map((file) => `--values=${file}`),
      '--values=-',
    ],
    { input: JSON.stringify(values) },
  );
  return stdout;
}

/** What `helm lint` says of an environment's charts. @throws {CommandFailure} when any of them fails. */
export async function lint(environment: EnvironmentName): Promise<string> {
  const { stdout } = await exec(findHelm(), [
    ...['lint', '--strict', ...chartsOf(environment).map((chart) => join(checkout, 'helm/charts', chart))],
    ...filesOf(environment).map((file) => `--values=${file}`),
  ]);
  return stdout;
}

/** A chart's objects. @throws {CommandFailure} as `renderText`; {Error} as `parseManifests`. */
export async function render(chart: string, options?: RenderOptions): Promise<readonly Manifest[]> {
  return parseManifests(await renderText(chart, options));
}

/** @throws {Error} on what is no YAML, or has a key twice. */
export function parseManifests(text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw problem;
    const manifest = document.toJS() as Manifest | null;
    return manifest ? [manifest] : [];
  });
}

/** What helm says when it refuses. */
export async function refusal(chart: string, options?: RenderOptions): Promise<string> {
  try {
    await renderText(chart, options);
  } catch (error) {
    return String((error as Error).cause);
  }
  throw new Error(`helm rendered ${chart} and was expected to refuse`);
}

/** Where a chart is deployed: the controller's and the extras' have namespaces of their own. */
export function namespaceOf(chart: string, environment: EnvironmentName): string {
  const own: Readonly<Record<string, string>> = { 'ingress-traefik': 'ingress-nginx', ...extraNamespaces };
  return own[chart] ?? namespaces[environment];
}
