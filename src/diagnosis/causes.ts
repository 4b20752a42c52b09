import { type Cause, createCauseList, toCause } from './cause-list.ts';
import { dns, judgeDns } from './dns-finding.ts';
import { toKubectlLine } from './finding.ts';
import type { Clue } from './log-clues.ts';
import { judgeNode, judgeNodeOf } from './node-finding.ts';
import type { Part, Silent, Unready } from './part.ts';
import { findPods } from './pods.ts';
import { listForbidding } from './policy-finding.ts';
import { judgeRoute } from './route-finding.ts';
import { judgeService } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface Seen {
  readonly snapshot: Snapshot;
  /** What is needed comes before what needs it. */
  readonly parts: readonly Part[];
  readonly unready: readonly Unready[];
  readonly silent: readonly Silent[];
}

/** The causes behind all that is not as it should be, the one that hits most first. */
export function findCauses({ snapshot, parts, unready, silent }: Seen): readonly Cause[] {
  const list = createCauseList();
  const absent: string[] = [];
  addCluster();
  for (const part of parts) {
    const found = unready.find((each) => each.part === part);
    if (found) explain(found);
    else checkWay(part);
  }
  for (const each of silent) explainSilence(each);
  addAbsent();
  return list.ranked();

  /** What everything stands on. */
  function addCluster(): void {
    for (const node of snapshot.list('Node')) {
      const finding = judgeNode(node);
      const about = toNodeKey(node.metadata.name);
      if (finding) list.add(about, toCause(about, finding), []);
    }
    const broken = judgeDns(snapshot);
    if (broken) list.add('dns', toCause('dns', broken), []);
  }

  /** A part that is ready may yet not be reached. */
  function checkWay({ name, workload, port, path }: Part): void {
    if (port === undefined) return;
    const unreached = judgeService(snapshot, workload);
    if (unreached) list.add(`way to ${name}`, toCause(name, unreached), [name]);
    else if (path !== undefined) checkRoute(name, workload.namespace, path);
  }

  function checkRoute(service: string, namespace: string, path: string): void {
    const finding = judgeRoute(snapshot, { service, namespace, path });
    if (finding) list.add(finding.line, toCause(service, finding), [service]);
  }

  function explain({ part, verdict, log, clues }: Unready): void {
    const { name, needs } = part;
    const nodes = findPods(snapshot, part.workload).current.filter((pod) => judgeNodeOf(snapshot, pod));
    if (
      list.blame(
        nodes.map(({ spec }) => toNodeKey(spec.nodeName ?? '')),
        name,
      )
    )
      return;
    if (verdict.state === 'absent') {
      if (!list.blame(list.keysOf(needs), name)) absent.push(name);
      return;
    }
    if (clues.some((clue) => followClue(part, clue))) return;
    const [clue] = clues;
    if (clue === undefined && verdict.isOpen && list.blame(list.keysOf(needs), name)) return;

    const finding = { ...verdict, state: verdict.state === 'failed' ? 'failed' : 'waiting' } as const;
    if (clue === undefined) {
      list.add(`part ${name}`, toCause(name, finding, log), [name]);
      return;
    }
    // The same complaint of several is one cause, and lies in what they complain of.
    const isOwn = clue.about === 'disk';
    const about = isOwn ? name : clue.about;
    list.add(isOwn ? `disk ${name}` : clue.line, toCause(about, { ...finding, ...clue }), [name]);
  }

  /** Blames what a log complains of, where something is known to be wrong with it. */
  function followClue(part: Part, { about }: Clue): boolean {
    if (about === 'dns' && list.blame(['dns'], part.name)) return true;
    if (list.blame(list.keysOf([about]), part.name)) return true;
    if (blamePolicies(part, about)) return true;
    // A database or a bucket is missing until the Job that makes it has done so.
    const jobs = parts
      .filter(({ workload }) => workload.kind === 'Job')
      .filter(({ needs }) => needs.includes(about));
    return list.blame(list.keysOf(jobs.map(({ name }) => name)), part.name);
  }

  /** Blames what forbids a part to reach another, or the cluster's DNS. */
  function blamePolicies(part: Part, about: string): boolean {
    const other = parts.find(({ name }) => name === about);
    if (!other && about !== 'dns') return false;
    const [from] = findPods(snapshot, part.workload).current;
    const [to] = findPods(snapshot, other?.workload ?? dns).current;
    const names = from && to ? listForbidding(snapshot, { from, to, port: other?.port ?? 53 }) : [];
    if (names.length === 0) return false;
    const what = names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies';
    const line = `${what} ${names.join(', ')} ${names.length === 1 ? 'keeps' : 'keep'} ${about} from being reached`;
    const next = toKubectlLine(part.workload.namespace, 'describe', 'networkpolicy', ...names);
    list.add(`${names.join(' ')} ${about}`, { about, state: 'failed', line, next }, [part.name]);
    return true;
  }

  /** A part that is ready, and that the ingress does not lead to. */
  function explainSilence({ part, url, state }: Silent): void {
    const controllers = parts.filter(({ kind }) => kind === 'ingress');
    if (list.blame(list.keysOf([part.name, ...controllers.map(({ name }) => name)]), part.name)) return;
    if (controllers.some((controller) => blamePolicies(controller, part.name))) {
      list.blame(list.keysOf(controllers.map(({ name }) => name)), part.name);
      return;
    }
    const isAnswer = state.startsWith('answered');
    const line = isAnswer ? `${url} ${state}` : `the ingress does not answer at ${new URL(url).origin}`;
    const next = isAnswer ? `npm run logs -- ${part.name}` : 'npm run doctor';
    const evidence = isAnswer ? {} : { evidence: state };
    list.add(`silent ${state}`, { about: 'ingress', state: 'failed', line, ...evidence, next }, [part.name]);
  }

  /** What was never deployed, where nothing that it needs says why. */
  function addAbsent(): void {
    if (absent.length === 0) return;
    const line = `${absent.length === 1 ? 'is' : 'are'} not deployed`;
    const about = absent.length === 1 ? absent[0] : undefined;
    list.add('absent', { about, state: 'failed', line, next: 'npm run up' }, absent);
  }
}

function toNodeKey(name: string): string {
  return `node ${name}`;
}
