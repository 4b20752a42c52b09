import type { LogReference } from './finding.ts';
import { type Clue, findClues, type Neighbour } from './log-clues.ts';
import type { Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';
import { judgeNeeded, type Verdict } from './verdict.ts';

/** An element of the platform: a service, a data store, a Job that prepares one, the ingress controller, an extra. */
export interface Component {
  readonly name: string;
  readonly kind: 'service' | 'infrastructure' | 'ingress' | 'job' | 'extra';
  readonly workload: Workload;
  /** Names of the components that it needs, directly or indirectly. */
  readonly needs: readonly string[];
  /** Port of its containers that the Service of its name routes to; undefined for one without a Service. */
  readonly port?: number;
  /** Its public path, if any: `/svc/auth`, `/`. */
  readonly path?: string;
  /** Its own host name, a subdomain of the platform's, if any. */
  readonly host?: string;
}

/** A component that is not ready. */
export interface Unready {
  readonly component: Component;
  readonly verdict: Verdict;
  /** The last lines of the log that the verdict names. */
  readonly log?: string;
  /** Known error messages in that log. */
  readonly clues: readonly Clue[];
}

/** A component that is ready and does not respond through the ingress. */
export interface Silent {
  readonly component: Component;
  readonly url: string;
  /** The HTTP status, as in `responded with 404`, or the error of the connection. */
  readonly state: string;
}

/** How many of the last lines of a log are shown. */
const shownLines = 12;

/** The components that are not ready, with the errors in their logs; all logs are read at once. */
export async function listUnready(
  snapshot: Snapshot,
  components: readonly Component[],
  readLog: (log: LogReference) => Promise<string | undefined>,
): Promise<readonly Unready[]> {
  const unready = components
    .map((component) => ({ component, verdict: judgeNeeded(snapshot, component.workload) }))
    .filter(({ verdict }) => verdict.state !== 'ready');
  return Promise.all(
    unready.map(async ({ component, verdict }) => {
      const log = verdict.log && (await readLog(verdict.log));
      if (!log) return { component, verdict, clues: [] };
      const others = components.filter(({ name, port }) => port !== undefined && name !== component.name);
      const clues = findClues(
        log,
        others.map((each) => toNeighbour(snapshot, each)),
      );
      return { component, verdict, log: log.trimEnd().split('\n').slice(-shownLines).join('\n'), clues };
    }),
  );
}

function toNeighbour(snapshot: Snapshot, { name, workload: { namespace } }: Component): Neighbour {
  const address = snapshot.find('Service', name, namespace)?.spec.clusterIP;
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc.cluster.local`];
  return { name, addresses: address === undefined ? names : [...names, address] };
}
