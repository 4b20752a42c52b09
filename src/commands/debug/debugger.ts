import type { LaunchConfigurations } from '../../debug/launch-configuration.ts';
import type { Pod } from '../../tools/kubernetes/objects.ts';

/** What makes the programs of a service's pods accept a debugger. */
export interface Debugger {
  /** Port of the pod, on its loopback. */
  readonly port: number;
  /** Makes a pod accept a debugger; called again for each pod that replaces it, and before each connection. */
  prepare(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Undoes that. `localPort` still leads to the pod. */
  end(localPort: number, signal: AbortSignal): Promise<void>;
}

/** What the command prints as JSON. */
export interface DebugResult {
  readonly version: 1;
  readonly service: string;
  readonly pod: string;
  readonly runtime: string;
  readonly address: string;
  readonly port: number;
  readonly configurations: LaunchConfigurations;
}
