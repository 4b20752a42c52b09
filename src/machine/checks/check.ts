import type { Paths } from '../../state/paths.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Engine } from '../engine.ts';
import type { Host } from '../host.ts';
import type { PortPair } from '../ports.ts';

/** `warn`: works, but slowly or not for long. `fail`: does not work. */
export type CheckState = 'ok' | 'warn' | 'fail';

/** The result of one check of this machine. */
export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly state: CheckState;
  /** One line. */
  readonly detail: string;
  /** A command or a sentence that works when followed as it stands; undefined where nothing needs a fix. */
  readonly fix?: string;
}

/** What a plan needs of the machine. */
export interface Demand {
  /** `1.34.4` */
  readonly kubernetes: string;
  /** Parts of images that will be built here: Go programs, and root file systems of Debian packages. */
  readonly partsToBuild: { readonly programs: number; readonly roots: number };
  /** Host ports of the ingress; undefined where the cluster already has them. */
  readonly ports?: PortPair | undefined;
  /** Nodes of the cluster beside its control plane; none by default. */
  readonly workers?: number;
  /** Sums over everything that runs at once; undefined where it is not known. */
  readonly requests?: { readonly cpus: number; readonly memory: number } | undefined;
}

export interface CheckContext {
  readonly host: Host;
  /** Undefined where none is running. */
  readonly engine: Engine | undefined;
  readonly docker: Docker | undefined;
  readonly exec: Exec;
  readonly paths: Paths;
  readonly demand: Demand;
  readonly signal: AbortSignal;
}

/** Returns an empty list where the check does not apply to this machine. */
export type MakeCheck = (context: CheckContext) => Promise<readonly CheckResult[]> | readonly CheckResult[];
