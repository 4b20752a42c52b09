import { findContainer, findProgram } from '../../debug/find-program.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type DelveDeps, delvePort, startDelve, stopDelve } from '../../steps/start-delve.ts';
import type { Nodes } from '../../tools/docker/nodes.ts';
import type { Pod } from '../../tools/kubernetes/objects.ts';
import type { Debugger } from './debugger.ts';

export interface GoDebuggerDeps extends Omit<DelveDeps, 'image' | 'nodes'> {
  readonly nodes: Pick<Nodes, 'listPrograms' | 'interruptContainer'>;
  readonly service: string;
  readonly servicePort: number;
  /** Loads Delve's image onto a node, and resolves to its reference. */
  readonly loadImage: (node: string) => Promise<string>;
}

/** Delve attaches to a Go program from a debug container in its pod. */
export function createGoDebugger(deps: GoDebuggerDeps): Debugger {
  const { nodes, service, servicePort, loadImage } = deps;
  const prepared = new Map<string, Pod>();

  return {
    port: delvePort,
    async prepare(pod, signal) {
      const place = findContainer(pod, service);
      if (!place || prepared.has(place.id)) return;
      const where = { container: place.id, port: servicePort };
      const { programs, ptraceScope } = await nodes.listPrograms(place.node, where, signal);
      const program = findProgram(programs);
      if (program?.runtime !== 'go') return;
      if (ptraceScope > 0) {
        throw new Failure(
          `this kernel lets no program debug another one: kernel.yama.ptrace_scope is ${ptraceScope}`,
          {
            hint: `npm run intercept ${service} -- dlv debug ./cmd/api`,
            exitCode: exitCodes.refused,
          },
        );
      }
      const image = await loadImage(place.node);
      const { pid, user, group } = program;
      const target = { pod, container: place.name, pid, user, group };
      await startDelve({ ...deps, image }, target, signal);
      prepared.set(place.id, pod);
    },
    async end(_localPort, signal) {
      for (const pod of prepared.values()) await stopDelve(deps, pod, signal);
    },
  };
}
