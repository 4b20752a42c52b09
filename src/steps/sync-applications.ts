import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Application,
  type ApplicationVerdict,
  judgeApplication,
  refreshAnnotation,
} from '../diagnosis/applications.ts';
import { waitUntilReady } from '../diagnosis/ready.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { judge } from '../diagnosis/verdict.ts';
import { workloadsOf } from '../diagnosis/workloads.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hash } from '../lib/hash.ts';
import { manifestAnnotation } from '../lib/labels.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { GitServer } from '../tools/git-server.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

export interface SyncDeps {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly server: Pick<GitServer, 'findHead'>;
  /** The Application that creates the others. */
  readonly root: () => Promise<RootApplication>;
  /** Names of the Applications that it creates, which are also the names of their releases. */
  readonly names: readonly string[];
  /** The namespace that they deploy to. */
  readonly target: string;
  /** Milliseconds. `retryTimeout`: how long Argo CD may retry after it reported an error. */
  readonly limits?: Limits;
}

interface Limits {
  readonly timeout: number;
  readonly retryTimeout: number;
  readonly interval: number;
}

export interface RootApplication {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

const usualLimits: Limits = { timeout: 600_000, retryTimeout: 30_000, interval: 1_000 };

/** All Applications are healthy and synced to the Git server's latest commit, for which Argo CD gets a refresh. */
export function syncApplications(deps: SyncDeps): Step {
  const { kubectl, snapshots, server, names, target, limits = usualLimits } = deps;

  async function listApplications(namespace: string, signal: AbortSignal) {
    const args = ['applications.argoproj.io', `--namespace=${namespace}`];
    const { items } = await kubectl.getJson<{ readonly items: readonly Application[] }>(args, signal);
    return items;
  }

  async function judgeAll(root: RootApplication, revision: string, signal: AbortSignal) {
    const { name, namespace } = root.metadata;
    const applications = await listApplications(namespace, signal);
    const verdicts = [name, ...names].map((each) => {
      const application = applications.find(({ metadata }) => metadata.name === each);
      return judgeApplication(each, application, { namespace, revision });
    });
    return { applications, verdicts };
  }

  /** The verdict on a workload that does not start says more than that its Application is not healthy. */
  async function throwFailingWorkload(since: number, run: Run): Promise<void> {
    const snapshot = await snapshots.take(run.signal, { maxAge: limits.interval });
    const workloads = names.flatMap((name) => workloadsOf(snapshot, name, target));
    const failing = workloads.find((workload) => judge(snapshot, workload, { since }).state === 'failed');
    if (failing)
      await waitUntilReady(failing, { kubectl, snapshots, stallTimeout: 0, interval: limits.interval, run });
  }

  return {
    title: `applications synced into ${target}`,

    async isDone({ signal }) {
      const [root, revision] = await Promise.all([deps.root(), server.findHead(signal)]);
      if (revision === undefined) return false;
      const { applications, verdicts } = await judgeAll(root, revision, signal);
      const found = applications.find(({ metadata }) => metadata.name === root.metadata.name);
      const isSame = found?.metadata.annotations?.[manifestAnnotation] === hash(root);
      return isSame && verdicts.every(({ state }) => state === 'ready') && 'synced and healthy';
    },

    async apply(run) {
      const { signal } = run;
      const since = Date.now();
      const root = await deps.root();
      const revision = await server.findHead(signal);
      if (revision === undefined) {
        throw new Failure('the Git server has no commit', {
          hint: 'npm run up -- --with argocd',
          exitCode: exitCodes.workload,
        });
      }
      const { namespace } = root.metadata;
      const annotations = { [manifestAnnotation]: hash(root) };
      await kubectl.apply(JSON.stringify({ ...root, metadata: { ...root.metadata, annotations } }), signal);
      const refresh = ['annotate', 'applications.argoproj.io', '--all', `--namespace=${namespace}`];
      await kubectl.run([...refresh, '--overwrite', `${refreshAnnotation}=normal`], signal);

      const end = performance.now() + limits.timeout;
      let healthy = performance.now();
      for (;;) {
        const { verdicts } = await judgeAll(root, revision, signal);
        const rest = verdicts.filter(({ state }) => state !== 'ready');
        if (rest.length === 0) return;
        await throwFailingWorkload(since, run);
        const failed = rest.find(({ state }) => state === 'failed');
        if (!failed) healthy = performance.now();
        if (failed && performance.now() - healthy > limits.retryTimeout) throw toFailure([failed], '');
        if (performance.now() >= end) throw toFailure(rest, ` in ${toDuration(limits.timeout)}`);
        run.report(toProgress(rest, verdicts.length));
        await sleep(limits.interval, undefined, { signal });
      }
    },
  };

  function toFailure(rest: readonly ApplicationVerdict[], limit: string): Failure {
    return new Failure(`Argo CD did not sync ${target}${limit}`, {
      cause: rest.map(({ line, evidence }) => [line, evidence].filter(Boolean).join('\n')).join('\n'),
      hint:
        rest.find(({ next }) => next !== undefined)?.next ?? 'npm run kubectl -- -n argocd get applications',
      exitCode: exitCodes.workload,
    });
  }
}

function toProgress(rest: readonly ApplicationVerdict[], all: number): string {
  const [first] = [...rest].sort(
    (one, other) => Number(other.state === 'failed') - Number(one.state === 'failed'),
  );
  return `${all - rest.length} of ${all} synced and healthy, ${first?.line}`;
}
