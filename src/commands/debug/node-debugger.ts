import { findContainer, findProgram } from '../../debug/find-program.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Nodes } from '../../tools/docker/nodes.ts';
import { closeInspector } from '../../tools/inspector.ts';
import type { Debugger } from './debugger.ts';

/** Where Node.js listens once it is told to. */
const inspectorPort = 9_229;

/** Node.js switches its inspector on by a signal, without a restart. */
export function createNodeDebugger(
  nodes: Pick<Nodes, 'listPrograms' | 'openInspector'>,
  { service, servicePort }: { readonly service: string; readonly servicePort: number },
): Debugger {
  /** The containers' runs that are prepared. */
  const prepared = new Set<string>();
  let isOurs = false;

  return {
    port: inspectorPort,
    async prepare(pod, signal) {
      const place = findContainer(pod, service);
      if (!place || prepared.has(place.id)) return;
      const where = { container: place.id, port: servicePort };
      const { programs } = await nodes.listPrograms(place.node, where, signal);
      const program = findProgram(programs);
      if (program?.runtime !== 'node') return;
      const process = { nodePid: program.nodePid, port: inspectorPort };
      const state = await nodes.openInspector(place.node, process, signal);
      if (state === 'refused') {
        throw new Failure(
          `the program of ${service} handles SIGUSR1 itself, or was started with --disable-sigusr1`,
          { hint: `npm run intercept ${service} -- node --inspect main.js`, exitCode: exitCodes.refused },
        );
      }
      isOurs = state === 'opened';
      prepared.add(place.id);
    },
    async end(localPort, signal) {
      if (isOurs) await closeInspector(localPort, signal);
    },
  };
}
