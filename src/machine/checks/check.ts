import type { Paths } from '../../state/paths.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Engine } from '../engine.ts';
import type { Host } from '../host.ts';
import type { PortPair } from '../ports.ts';

/** `warn`: it works, slower or not for long. `fail`: it cannot work. */
export type CheckState = 'ok' | 'warn' | 'fail';

/** What was asked about this machine, and the answer. */
export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly state: CheckState;
  /** One line. */
  readonly detail: string;
  /** A command or a sentence that works when followed as it stands; undefined where nothing is wrong. */
  readonly fix?: string;
}

/** What a plan will ask of the machine. */
export interface Demand {
  /** `1.34.4` */
  readonly kubernetes: string;
  /** Images will be built from packages: that takes Go, apt and room. */
  readonly buildsImages: boolean;
  /** Host ports of the ingress; undefined where a cluster has them already. */
  readonly ports?: PortPair | undefined;
  /** Nodes of the cluster beside its control plane; none by default. */
  readonly workers?: number;
  /** Sums over everything that runs at once; undefined where it is not known. */
  readonly requests?: { readonly cpus: number; readonly memory: number } | undefined;
}

export interface CheckContext {
  readonly host: Host;
  /** Undefined where none runs. */
  readonly engine: Engine | undefined;
  readonly docker: Docker | undefined;
  readonly exec: Exec;
  readonly paths: Paths;
  readonly demand: Demand;
  readonly signal: AbortSignal;
}

/** Some questions have no answer on some machines: an empty list. */
export type MakeCheck = (context: CheckContext) => Promise<readonly CheckResult[]> | readonly CheckResult[];
