import { type Cause, createCauseList, toCause } from './cause-list.ts';
import type { Component, Silent, Unready } from './component.ts';
import { dns, judgeDns } from './dns-finding.ts';
import { toKubectlLine } from './finding.ts';
import { type Clue, ownFaults } from './log-clues.ts';
import { judgeNode, judgeNodeOf } from './node-finding.ts';
import { findPods } from './pods.ts';
import { listDenyingPolicies } from './policy-finding.ts';
import { judgeRoute } from './route-finding.ts';
import { judgeService } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';

export interface Seen {
  readonly snapshot: Snapshot;
  /** In the order of their needs: a component comes after those that it needs. */
  readonly components: readonly Component[];
  readonly unready: readonly Unready[];
  readonly silent: readonly Silent[];
}

/** The causes of all that is not ready or does not respond, the one that affects most components first. */
export function findCauses({ snapshot, components, unready, silent }: Seen): readonly Cause[] {
  const list = createCauseList();
  const absent: string[] = [];
  addClusterCauses();
  for (const component of components) {
    const found = unready.find((each) => each.component === component);
    if (found) explain(found);
    else checkService(component);
  }
  for (const each of silent) explainSilence(each);
  addAbsent();
  return list.ranked();

  /** Problems of the nodes and of DNS, which may affect every component. */
  function addClusterCauses(): void {
    for (const node of snapshot.list('Node')) {
      const finding = judgeNode(node);
      const about = toNodeKey(node.metadata.name);
      if (finding) list.add(about, toCause(about, finding), []);
    }
    const broken = judgeDns(snapshot);
    if (broken) list.add('dns', toCause('dns', broken), []);
  }

  /** A component that is ready may still be unreachable through its Service or Ingress. */
  function checkService({ name, workload, port, path }: Component): void {
    if (port === undefined) return;
    const unreached = judgeService(snapshot, workload);
    if (unreached) list.add(`service ${name}`, toCause(name, unreached), [name]);
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
    if (clue === undefined && verdict.mayWaitForNeeds && list.blame(list.keysOf(needs), name)) return;

    const finding = { ...verdict, state: verdict.state === 'failed' ? 'failed' : 'waiting' } as const;
    if (clue === undefined) {
      list.add(`component ${name}`, toCause(name, finding, log), [name]);
      return;
    }
    // The same error in several logs is one cause, at fault is the component that the error is about.
    const isOwn = ownFaults.has(clue.about);
    const about = isOwn ? name : clue.about;
    list.add(isOwn ? `${clue.about} ${name}` : clue.line, toCause(about, { ...finding, ...clue }), [name]);
  }

  /** Blames a known cause that explains an error in a log; false when none does. */
  function followClue(component: Component, { about, isTimeout = false }: Clue): boolean {
    if (about === 'dns' && list.blame(['dns'], component.name)) return true;
    if (list.blame(list.keysOf([about]), component.name)) return true;
    if (blamePolicies(component, about)) return true;
    // A database or bucket does not exist until the Job that creates it has completed.
    const jobs = components
      .filter(({ workload }) => workload.kind === 'Job')
      .filter(({ needs }) => needs.includes(about));
    if (list.blame(list.keysOf(jobs.map(({ name }) => name)), component.name)) return true;
    // Without DNS, requests for a host name are dropped where network policies are enforced, and time out.
    return isTimeout && list.blame(['dns'], component.name);
  }

  /** Adds the NetworkPolicies that deny a component to connect to another one, or to DNS; false when none do. */
  function blamePolicies(component: Component, about: string): boolean {
    const other = components.find(({ name }) => name === about);
    if (!other && about !== 'dns') return false;
    const [from] = findPods(snapshot, component.workload).current;
    const [to] = findPods(snapshot, other?.workload ?? dns).current;
    const names = from && to ? listDenyingPolicies(snapshot, { from, to, port: other?.port ?? 53 }) : [];
    if (names.length === 0) return false;
    const what = names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies';
    const line = `${what} ${names.join(', ')} ${names.length === 1 ? 'denies' : 'deny'} connections to ${about}`;
    const next = toKubectlLine(component.workload.namespace, 'describe', 'networkpolicy', ...names);
    list.add(`${names.join(' ')} ${about}`, { about, state: 'failed', line, next }, [component.name]);
    return true;
  }

  /** Explains a component that is ready and does not respond through the ingress. */
  function explainSilence({ component, url, state }: Silent): void {
    const controllers = components.filter(({ kind }) => kind === 'ingress');
    if (list.blame(list.keysOf([component.name, ...controllers.map(({ name }) => name)]), component.name))
      return;
    if (controllers.some((controller) => blamePolicies(controller, component.name))) {
      list.blame(list.keysOf(controllers.map(({ name }) => name)), component.name);
      return;
    }
    // Such as `responded with 502`; the error of a connection does not end in a status.
    const hasStatus = /\s\d{3}$/.test(state);
    const line = hasStatus ? `${url} ${state}` : `the ingress does not respond at ${new URL(url).origin}`;
    const next = hasStatus ? `npm run logs -- ${component.name}` : 'npm run doctor';
    const evidence = hasStatus ? {} : { evidence: state };
    list.add(`silent ${state}`, { about: 'ingress', state: 'failed', line, ...evidence, next }, [
      component.name,
    ]);
  }

  /** Components that are not deployed, where no known cause explains it. */
  function addAbsent(): void {
    if (absent.length === 0) return;
    const about = absent.length === 1 ? absent[0] : undefined;
    list.add('absent', { about, state: 'failed', line: 'not deployed', next: 'npm run up' }, absent);
  }
}

function toNodeKey(name: string): string {
  return `node ${name}`;
}
