import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { engineRules } from './docker/cli.ts';
import type { Exec } from './exec.ts';
import { type FailureRules, inheritFrom } from './failure-rules.ts';

const kindFailures: FailureRules = {
  exitCode: exitCodes.cluster,
  hint: 'npm run doctor',
  installHint: 'npm run up',
  rules: [
    ...engineRules,
    {
      pattern: /port is already allocated|address already in use/,
      hint: 'npm run doctor',
      exitCode: exitCodes.port,
    },
    {
      pattern: /non-overlapping IPv4 address pool|all predefined address pools have been fully subnetted/,
      hint: 'docker network prune, then npm run up',
      exitCode: exitCodes.host,
      message: 'the container engine has no free address range for the network kind',
    },
    {
      // Such as after a reload of firewalld, which removes the chains of the engine.
      pattern: /No chain\/target\/match by that name|INVALID_ZONE/,
      hint: 'sudo systemctl restart docker, then npm run up',
      exitCode: exitCodes.host,
      message: "the container engine's firewall rules were removed by another program",
    },
    {
      pattern: /too many open files/,
      hint: 'npm run doctor',
      exitCode: exitCodes.host,
      message: 'a limit of open files or inotify instances was reached',
    },
    {
      pattern:
        /could not locate any control plane nodes|no nodes found for cluster|container \S+ is not running/,
      hint: 'npm run up',
    },
    {
      pattern: /node\(s\) already exist for a cluster with the name/,
      hint: 'npm run down, then npm run up',
    },
    {
      // The node's own init system ended before it had started all.
      pattern: /could not find a log line that matches/,
      hint: 'npm run doctor',
      message: 'a node ended while it was starting',
    },
  ],
};

export interface Kind {
  /**
   * Creates the cluster of a configuration and writes `kubeconfig`; leaves what is there when it does not succeed.
   * @throws {PortTakenFailure} when a port of the cluster is in use.
   */
  create(config: string, options: { kubeconfig: string; run: Run }): Promise<void>;
  /** The kubeconfig text of a running cluster. */
  kubeconfig(name: string, signal: AbortSignal): Promise<string>;
}

/** Another program took a port between its choice and the cluster's creation. */
export class PortTakenFailure extends Failure {
  /** Undefined when the engine does not name it. */
  readonly port: number | undefined;

  constructor(port: number | undefined, cause: unknown) {
    super(`${port === undefined ? 'a port of the cluster' : `port ${port}`} is already in use`, {
      cause,
      hint: 'npm run up',
      exitCode: exitCodes.port,
    });
    this.name = 'PortTakenFailure';
    this.port = port;
  }
}

export interface KindOptions {
  /** Path of the program. */
  readonly program: string;
  /** Names the engine. */
  readonly env: Readonly<Record<string, string>>;
}

/** The kube context that kind names a cluster's. */
export function toKubeContext(cluster: string): string {
  return `kind-${cluster}`;
}

export function createKind(exec: Exec, { program, env }: KindOptions): Kind {
  return {
    async create(config, { kubeconfig, run: { signal, report } }) {
      const args = ['create', 'cluster', '--config=-', `--kubeconfig=${kubeconfig}`, '--retain'];
      try {
        const onLine = (line: string) => report(plain(line));
        await exec(program, args, { input: config, env, signal, onLine, failures: kindFailures });
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof CommandFailure) throwTakenPort(cause);
        throw new Failure('kind did not create the cluster', {
          cause,
          ...inheritFrom(cause, kindFailures),
        });
      }
    },

    async kubeconfig(name, signal) {
      const args = ['get', 'kubeconfig', `--name=${name}`];
      return (await exec(program, args, { env, signal, failures: kindFailures })).stdout;
    },
  };
}

/** @throws {PortTakenFailure} when the engine could not publish a port. */
function throwTakenPort(failure: CommandFailure): void {
  const line = failure.stderr
    .split('\n')
    .find((each) => /port is already allocated|address already in use|ports are not available/i.test(each));
  if (line === undefined) return;
  const port = /\d+\.\d+\.\d+\.\d+:(\d+)/.exec(line)?.[1];
  throw new PortTakenFailure(port === undefined ? undefined : Number(port), failure);
}

/** kind decorates its lines for a terminal. */
function plain(line: string): string {
  return line.replace(/[^\x20-\x7e]/g, '').trim();
}
