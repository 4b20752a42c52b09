import { type Cause, createCauseList, toCause } from './cause-list.ts';
import type { Component, Silent, Unready } from './component.ts';
import { dns, judgeDns } from './dns-finding.ts';
import { toKubectlLine } from './finding.ts';
import type { Clue } from './log-clues.ts';
import { judgeNode, judgeNodeOf } from './node-finding.ts';
import { findPods } from './pods.ts';
import { listForbidding } from './policy-finding.ts';
import { judgeRoute } from './route-finding.ts';
import { judgeService } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface Seen {
  readonly snapshot: Snapshot;
  /** What is needed comes before what needs it. */
  readonly components: readonly Component[];
  readonly unready: readonly Unready[];
  readonly silent: readonly Silent[];
}

/** The causes behind all that is not as it should be, the one that hits most first. */
export function findCauses({ snapshot, components, unready, silent }: Seen): readonly Cause[] {
  const list = createCauseList();
  const absent: string[] = [];
  addCluster();
  for (const component of components) {
    const found = unready.find((each) => each.component === component);
    if (found) explain(found);
    else checkWay(component);
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

  /** A component that is ready may yet not be reached. */
  function checkWay({ name, workload, port, path }: Component): void {
    if (port === undefined) return;
    const unreached = judgeService(snapshot, workload);
    if (unreached) list.add(`way to ${name}`, toCause(name, unreached), [name]);
    else if (path !== undefined) checkRoute(name, workload.namespace, path);
  }

  function checkRoute(service: string, namespace: string, path: string): void {
    const finding = judgeRoute(snapshot, { service, namespace, path });
    if (finding) list.add(finding.line, toCause(service, finding), [service]);
  }

  function explain({ component, verdict, log, clues }: Unready): void {
    const { name, needs } = component;
    const nodes = findPods(snapshot, component.workload).current.filter((pod) => judgeNodeOf(snapshot, pod));
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
    if (clues.some((clue) => followClue(component, clue))) return;
    const [clue] = clues;
    if (clue === undefined && verdict.isOpen && list.blame(list.keysOf(needs), name)) return;

    const finding = { ...verdict, state: verdict.state === 'failed' ? 'failed' : 'waiting' } as const;
    if (clue === undefined) {
      list.add(`component ${name}`, toCause(name, finding, log), [name]);
      return;
    }
    // The same complaint of several is one cause, and lies in what they complain of.
    const isOwn = clue.about === 'disk';
    const about = isOwn ? name : clue.about;
    list.add(isOwn ? `disk ${name}` : clue.line, toCause(about, { ...finding, ...clue }), [name]);
  }

  /** Blames what a log complains of, where something is known to be wrong with it. */
  function followClue(component: Component, { about }: Clue): boolean {
    if (about === 'dns' && list.blame(['dns'], component.name)) return true;
    if (list.blame(list.keysOf([about]), component.name)) return true;
    if (blamePolicies(component, about)) return true;
    // A database or a bucket is missing until the Job that makes it has done so.
    const jobs = components
      .filter(({ workload }) => workload.kind === 'Job')
      .filter(({ needs }) => needs.includes(about));
    return list.blame(list.keysOf(jobs.map(({ name }) => name)), component.name);
  }

  /** Blames what forbids a component to reach another, or the cluster's DNS. */
  function blamePolicies(component: Component, about: string): boolean {
    const other = components.find(({ name }) => name === about);
    if (!other && about !== 'dns') return false;
    const [from] = findPods(snapshot, component.workload).current;
    const [to] = findPods(snapshot, other?.workload ?? dns).current;
    const names = from && to ? listForbidding(snapshot, { from, to, port: other?.port ?? 53 }) : [];
    if (names.length === 0) return false;
    const what = names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies';
    const line = `${what} ${names.join(', ')} ${names.length === 1 ? 'keeps' : 'keep'} ${about} from being reached`;
    const next = toKubectlLine(component.workload.namespace, 'describe', 'networkpolicy', ...names);
    list.add(`${names.join(' ')} ${about}`, { about, state: 'failed', line, next }, [component.name]);
    return true;
  }

  /** A component that is ready, and that the ingress does not lead to. */
  function explainSilence({ component, url, state }: Silent): void {
    const controllers = components.filter(({ kind }) => kind === 'ingress');
    if (list.blame(list.keysOf([component.name, ...controllers.map(({ name }) => name)]), component.name))
      return;
    if (controllers.some((controller) => blamePolicies(controller, component.name))) {
      list.blame(list.keysOf(controllers.map(({ name }) => name)), component.name);
      return;
    }
    const isAnswer = /\s\d{3}$/.test(state);
    const line = isAnswer ? `${url} ${state}` : `the ingress does not answer at ${new URL(url).origin}`;
    const next = isAnswer ? `npm run logs -- ${component.name}` : 'npm run doctor';
    const evidence = isAnswer ? {} : { evidence: state };
    list.add(`silent ${state}`, { about: 'ingress', state: 'failed', line, ...evidence, next }, [
      component.name,
    ]);
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
