import { findPortOwner } from '../port-owner.ts';
import { choosePorts, isPortFree, lowestPortOf } from '../ports.ts';
import type { MakeCheck } from './check.ts';

const id = 'ports';
const title = 'host ports';

/** The ingress's ports on 127.0.0.1. A taken one is only a warning: `up` uses the next free pair and reports it. */
export const checkPorts: MakeCheck = async (context) => {
  const { demand } = context;
  if (demand.ports === undefined) return [];
  const { http, https } = demand.ports;
  const lowest = lowestPortOf(context.engine, context.host);
  const taken: string[] = [];
  for (const port of [http, https]) {
    if (port < lowest) taken.push(`${port} is below ${lowest}, which a rootless engine may not bind`);
    else if (!(await isPortFree(port))) {
      const owner = await findPortOwner(port, context);
      taken.push(`${port} is taken by ${owner ?? "another user's process"}`);
    }
  }
  if (taken.length === 0) return [{ id, title, state: 'ok', detail: `${http} and ${https} are free` }];
  const next = await choosePorts(demand.ports, { lowest });
  return [
    {
      id,
      title,
      state: 'warn',
      detail: `${taken.join(', ')}; up would use ${next.http} and ${next.https}`,
      fix: `free them, or set cluster.httpPort and cluster.httpsPort in env/local.yaml`,
    },
  ];
};
