import { findInterceptMark, isIntercepted } from '../diagnosis/intercept.ts';
import { interceptAnnotation } from '../lib/labels.ts';
import type { Step } from '../plan/plan.ts';
import type { Service } from '../tools/kubernetes/objects.ts';
import { type InterceptDeps, isInterceptAlive, routeToPods } from './intercept-service.ts';
import { removeAgent } from './start-agent.ts';

export interface GiveBackDeps {
  readonly namespace: string;
  readonly connect: (signal: AbortSignal) => Promise<Omit<InterceptDeps, 'place'>>;
  /** Takes services also from programs that still run; these then end. */
  readonly all: boolean;
}

/** Services whose intercepting program was killed route to their own pods again. */
export function giveBackServices({ namespace, connect, all }: GiveBackDeps): Step {
  async function listAbandoned({ api }: Omit<InterceptDeps, 'place'>, signal: AbortSignal) {
    const path = `/api/v1/namespaces/${namespace}/services`;
    const { items } = await api.get<{ readonly items: readonly Service[] }>(path, signal);
    const marked = items.filter(
      (each) => isIntercepted(each) || each.metadata.annotations?.[interceptAnnotation] !== undefined,
    );
    const abandoned = await Promise.all(
      marked.map(async (service) => {
        const mark = findInterceptMark(service);
        const isHeld = !all && mark !== undefined && (await isInterceptAlive(mark));
        return isHeld ? [] : [service.metadata.name];
      }),
    );
    return abandoned.flat();
  }

  return {
    title: 'intercepted services',
    async isDone({ signal }) {
      const names = await listAbandoned(await connect(signal), signal);
      return names.length === 0 && (all ? 'none' : 'none to give back');
    },
    async apply({ signal, report }) {
      const deps = await connect(signal);
      for (const name of await listAbandoned(deps, signal)) {
        report(`${name} routes to its pods again`);
        const own = { ...deps, place: { namespace, name } };
        await routeToPods(own, signal);
        await removeAgent(own, signal);
      }
    },
  };
}
