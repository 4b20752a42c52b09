import type { LogReference } from './finding.ts';
import { type Clue, findClues, type Neighbour } from './log-clues.ts';
import type { Workload } from './pods.ts';
import type { Snapshot } from './snapshot.ts';
import { judgeNeeded, type Verdict } from './verdict.ts';

/** What an environment consists of: a service, a data store, a Job that prepares one, the ingress controller, an extra. */
export interface Component {
  readonly name: string;
  readonly kind: 'service' | 'infrastructure' | 'ingress' | 'job' | 'extra';
  readonly workload: Workload;
  /** Names of the components that it needs, directly or not. */
  readonly needs: readonly string[];
  /** Where others reach it, through the Service of its name; undefined for one that nobody asks. */
  readonly port?: number;
  /** Its public path, where it has one: `/svc/auth`, `/`. */
  readonly path?: string;
  /** The host name below the platform's own under which it answers, where it has one. */
  readonly host?: string;
}

/** A component that is not ready. */
export interface Unready {
  readonly component: Component;
  readonly verdict: Verdict;
  /** The end of the log that the verdict names. */
  readonly log?: string;
  /** What that log complains of. */
  readonly clues: readonly Clue[];
}

/** A component that is ready, and does not answer through the ingress. */
export interface Silent {
  readonly component: Component;
  readonly url: string;
  /** `responded with 404`, or why there was no response. */
  readonly state: string;
}

/** Lines of a log that are shown where nothing in it is understood. */
const shownLines = 12;

/** The components that are not ready, with what their logs say; all logs are read at once. */
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
      // What waits says why before it says what else it does.
      return { component, verdict, log: log.trimEnd().split('\n').slice(-shownLines).join('\n'), clues };
    }),
  );
}

function toNeighbour(snapshot: Snapshot, { name, workload: { namespace } }: Component): Neighbour {
  const address = snapshot.find('Service', name, namespace)?.spec.clusterIP;
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc.cluster.local`];
  return { name, addresses: address === undefined ? names : [...names, address] };
}
