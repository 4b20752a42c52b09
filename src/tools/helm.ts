import { availableParallelism } from 'node:os';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { createLimit } from '../lib/limit.ts';
import type { Exec } from './exec.ts';
import { type FailureRules, inheritFrom } from './failure-rules.ts';
import { apiFailures, isRestarting } from './kubernetes/api-failures.ts';

/** A chart could not be fetched. */
const repositoryFailure =
  /not a valid chart repository or cannot be reached|failed to fetch https?:|chart "[^"]*".* not found in \S+ repository/;

/** The API server, or a webhook that it asks, was gone for the moment: the same command may succeed later. */
export class OutageFailure extends Failure {}

/** Of commands on a release in this namespace. */
const toFailures = (namespace: string): FailureRules => ({
  exitCode: exitCodes.helm,
  hint: 'npm run doctor',
  installHint: 'npm run up',
  rules: [
    {
      pattern: /another operation \(install\/upgrade\/rollback\) is in progress/,
      hint: 'npm run up: it rolls back what a killed run has left',
    },
    {
      pattern: /values don't meet the specifications of the schema/,
      hint: 'correct the values that are named, in env/local.yaml or helm/environments/',
    },
    {
      pattern:
        /execution error at \(|error calling |nil pointer evaluating|YAML parse error on|parse error at \(/,
      hint: 'correct the template that is named, or the value that it reads',
    },
    {
      // Its message names the owner: `must equal "redis": current value is "other"`.
      pattern: /(\w+) "([^"]+)" in namespace "([^"]*)" exists and cannot be imported/,
      hint: 'if nothing else needs it: npm run kubectl -- delete $1 $2 --namespace=$3, then npm run up',
    },
    {
      // Without its pods and volume claims, which the new one takes over.
      pattern:
        /cannot patch "([^"]+)" with kind StatefulSet: .*updates to statefulset spec for fields other than/s,
      hint: `npm run kubectl -- delete statefulset $1 --cascade=orphan --namespace=${namespace}, then npm run up`,
    },
    {
      pattern: /cannot patch "([^"]+)" with kind (\w+): .*field is immutable/s,
      hint: `npm run kubectl -- delete $2 $1 --namespace=${namespace}, then npm run up`,
    },
    {
      pattern: repositoryFailure,
      hint: 'npm run doctor',
    },
    {
      pattern: /release: not found|has no deployed releases/,
      hint: 'npm run status',
    },
    // Helm prints what the API server reports; that the release is not deployed is the failure all the same.
    ...apiFailures.rules.map(({ pattern, hint }) => ({ pattern, hint })),
  ],
});

/** Milliseconds for one run of helm, which waits for nothing but, at most 5 min, for what it uninstalls. */
const helmTimeout = 600_000;

export interface Upgrade {
  readonly release: string;
  /** Folder of the chart, or its name in `repository`. */
  readonly chart: string;
  readonly namespace: string;
  /** Values files, the last wins. */
  readonly valuesFiles: readonly string[];
  /** Values over those of the files. */
  readonly values: object;
  /** Kept with the release, and how its inputs are recognised. */
  readonly labels: Readonly<Record<string, string>>;
  readonly repository?: { readonly url: string; readonly version: string };
  /** Each object becomes what the chart says and nothing else; without it, what others have added to one stays. */
  readonly replaces?: boolean;
}

export interface Helm {
  /** Installs or upgrades a release and returns once the cluster has its objects; waits for nothing. */
  upgrade(upgrade: Upgrade, signal: AbortSignal): Promise<void>;
  rollback(release: string, namespace: string, signal: AbortSignal): Promise<void>;
  uninstall(release: string, namespace: string, signal: AbortSignal): Promise<void>;
  /** The manifests of a chart, as text. */
  template(upgrade: Omit<Upgrade, 'labels'>, signal: AbortSignal): Promise<string>;
}

export interface HelmOptions {
  /** Path of the program. */
  readonly program: string;
  readonly kubeconfig: string;
  readonly context: string;
}

export function createHelm(exec: Exec, { program, kubeconfig, context }: HelmOptions): Helm {
  // Rendering keeps a processor busy: of forty upgrades at once none would end before all do. One more than there are
  // processors, since each also waits for the API server.
  const inTurn = createLimit(availableParallelism() + 1);
  const target = [`--kubeconfig=${kubeconfig}`, `--kube-context=${context}`];

  const toArguments = ({ release, chart, namespace, valuesFiles, repository }: Omit<Upgrade, 'labels'>) => [
    release,
    chart,
    `--namespace=${namespace}`,
    ...(repository ? [`--repo=${repository.url}`, `--version=${repository.version}`] : []),
    ...valuesFiles.map((file) => `--values=${toListItem(file)}`),
    '--values=-',
  ];
  const run = async (
    args: readonly string[],
    { release, namespace }: Pick<Upgrade, 'release' | 'namespace'>,
    signal: AbortSignal,
    values?: object,
  ) => {
    const helmFailures = toFailures(namespace);
    const input = values === undefined ? {} : { input: JSON.stringify(values) };
    try {
      const options = { signal, timeout: helmTimeout, failures: helmFailures, ...input };
      return (await exec(program, args, options)).stdout;
    } catch (cause) {
      signal.throwIfAborted();
      const { hint = 'npm run up', exitCode } = inheritFrom(cause, helmFailures);
      if (!(cause instanceof CommandFailure) || cause.status === undefined)
        throw new Failure(`helm did not finish with release ${release}`, { cause, hint, exitCode });
      const isOutage = isRestarting(cause.stderr) && !repositoryFailure.test(cause.stderr);
      const Kind = isOutage ? OutageFailure : Failure;
      throw new Kind(`helm refused release ${release}`, {
        cause: withoutNoise(cause.stderr) || cause.message,
        hint,
        exitCode,
      });
    }
  };

  return {
    async upgrade(upgrade, signal) {
      const labels = Object.entries(upgrade.labels).map(([key, value]) => `${key}=${value}`);
      const args = ['upgrade', '--install', ...toArguments(upgrade), `--labels=${labels.join(',')}`];
      const force = upgrade.replaces ? ['--force'] : [];
      const words = [...args, ...force, '--history-max=3', ...target];
      await inTurn(() => run(words, upgrade, signal, upgrade.values));
    },
    async rollback(release, namespace, signal) {
      await run(['rollback', release, `--namespace=${namespace}`, ...target], { release, namespace }, signal);
    },
    async uninstall(release, namespace, signal) {
      await run(
        ['uninstall', release, `--namespace=${namespace}`, '--wait', ...target],
        { release, namespace },
        signal,
      );
    },
    template: (upgrade, signal) =>
      run(['template', ...toArguments(upgrade)], upgrade, signal, upgrade.values),
  };
}

/** Helm reads the option as a list, in CSV: a comma in the name of a folder would divide it. */
function toListItem(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The library chart is a symbolic link in each chart, and helm says so every time. */
function withoutNoise(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !line.includes('found symbolic link in path'));
  return lines.join('\n').trim();
}
