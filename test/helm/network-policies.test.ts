import { beforeAll, describe, expect, it } from 'vitest';
import { serviceTable } from '../service-table.ts';
import { chartsOf, type EnvironmentName, namespaces, refusal, render, serviceCharts } from './helm.ts';
import { getContainer, getWorkload, listWorkloads, type Manifest } from './manifests.ts';
import { lets, type Party } from './policies.ts';

/** Who asks whom, as the table says; without a server of its own nobody asks LiveKit. */
const asks: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(serviceTable).map(([name, { needs, calls = [] }]) => [
      name,
      [...needs, ...calls].filter((asked) => asked !== 'livekit'),
    ]),
  ),
  bootstrap: ['postgres', 's3'],
  postgres: [],
  redis: [],
  s3: [],
};

const dns: Party = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
const outside: Party = { namespace: '', labels: {}, address: '142.250.1.1' };
const metadataService: Party = { namespace: '', labels: {}, address: '169.254.169.254' };
const rds: Party = { namespace: '', labels: {}, address: '10.0.7.7' };
const tcp = (port: number) => ({ protocol: 'TCP', port });

describe.each(['local-kind', 'dev'] as const)('the policies of %s', (environment) => {
  const { isLet, pods, ports } = policiesOf(environment);

  it('let each program reach what it asks, and nothing else of the platform', () => {
    for (const from of pods()) {
      const reached = [...ports()].filter(([to, port]) => to !== from && isLet(from, to, port));
      expect(reached.map(([to]) => to).toSorted(), from).toEqual(asks[from]?.toSorted());
    }
  });

  it('let nobody reach another port', () => {
    for (const [to, port] of ports()) expect(isLet('frontend', to, port + 1), to).toBe(false);
  });

  it('let everybody ask DNS, by UDP and TCP', () => {
    for (const from of pods()) {
      for (const protocol of ['UDP', 'TCP'])
        expect(isLet(from, dns, { protocol, port: 53 }), from).toBe(true);
      expect(isLet(from, { ...dns, labels: {} }, 53), from).toBe(false);
    }
  });

  it('let the ingress controller reach what has a route, and nothing else', () => {
    const controller: Party = { namespace: 'ingress-nginx', labels: { app: 'traefik' } };
    const reached = [...ports()].filter(([to, port]) => isLet(controller, to, port)).map(([to]) => to);
    const routed = Object.entries(serviceTable).filter(([, { route, paths }]) => route ?? paths);
    expect(reached.toSorted()).toEqual([...routed.map(([name]) => name), 's3'].toSorted());
  });

  it('let monitoring read the figures of services, and another namespace nothing', () => {
    const of = (namespace: string): Party => ({ namespace, labels: { app: 'prometheus' } });
    for (const [to, port] of ports()) {
      expect(isLet(of('monitoring'), to, port), to).toBe(serviceCharts.some((name) => name === to));
      expect(isLet(of('wealist-prod'), to, port), to).toBe(false);
    }
  });

  it('let out of the cluster who has ports outside, auth-service to Google, and not to the cloud’s own addresses', () => {
    for (const from of pods())
      expect(isLet(from, outside, 443), from).toBe(serviceTable[from]?.outside?.includes(443) ?? false);
    expect(isLet('auth-service', outside, 443)).toBe(true);
    expect(isLet('auth-service', outside, 80)).toBe(false);
    expect(isLet('auth-service', metadataService, 443)).toBe(false);
  });
});

describe('the policies of prod, whose stores are somebody else’s', () => {
  const { isLet } = policiesOf('prod');

  it('let those reach the port of a store that need it, at any address: a policy knows no names', () => {
    expect(isLet('board-service', rds, 5432)).toBe(true);
    expect(isLet('board-service', rds, 6379)).toBe(true);
    expect(isLet('board-service', rds, 443)).toBe(true);
    expect(isLet('auth-service', rds, 5432)).toBe(false);
    expect(isLet('bootstrap', rds, 5432)).toBe(true);
    expect(isLet('frontend', rds, 443)).toBe(false);
  });

  it('or only at those that are named', async () => {
    const external = { enabled: true, host: 'db.example', cidrs: ['10.0.8.0/24'] };
    const values = { infrastructure: { postgres: { external } } };
    const policies = await render('board-service', { environment: 'prod', values });
    const board = { namespace: 'wealist-prod', labels: { app: 'board-service' } };
    const at = (address: string) =>
      lets(onlyPolicies(policies), 'wealist-prod', board, { ...rds, address }, tcp(5432));
    expect([at('10.0.8.9'), at('10.0.7.7')]).toEqual([true, false]);
  });
});

describe('policies', () => {
  it('are none where they are switched off', async () => {
    const values = { networkPolicies: { enabled: false } };
    for (const chart of ['chat-service', 'wealist-infrastructure'] as const) {
      expect(onlyPolicies(await render(chart, { values }))).toEqual([]);
    }
  });

  it('open LiveKit’s server to video-service once it is named', async () => {
    const values = { infrastructure: { livekit: { host: 'livekit.example' } } };
    const video: Party = { namespace: namespaces['local-kind'], labels: { app: 'video-service' } };
    const isOpen = (manifests: readonly Manifest[]) =>
      lets(onlyPolicies(manifests), video.namespace, video, outside, tcp(7880));
    expect(isOpen(await render('video-service', { values }))).toBe(true);
    expect(isOpen(await render('video-service'))).toBe(false);
  });

  it('name what a service needs and nobody knows', async () => {
    const values = { services: { 'chat-service': { needs: ['postgre'] } } };
    expect(await refusal('chat-service', { values })).toContain(
      'services.chat-service needs or calls postgre, which is none of',
    );
  });
});

/** The rendered policies of an environment, asked by the names of programs. */
function policiesOf(environment: EnvironmentName) {
  const namespace = namespaces[environment];
  let all: readonly Manifest[] = [];
  beforeAll(async () => {
    const charts = chartsOf(environment).filter((chart) => chart !== 'ingress-traefik');
    all = (await Promise.all(charts.map((chart) => render(chart, { environment })))).flat();
  });
  const toPod = (name: string): Party => ({ namespace, labels: labelsOf(all, name) });
  return {
    pods: () => listWorkloads(all).map(({ metadata }) => metadata.name.replace(/^bootstrap-.*/, 'bootstrap')),
    /** Program → the port that it listens on. */
    ports: () =>
      new Map(
        listWorkloads(all)
          .filter(({ kind }) => kind !== 'Job')
          .map((workload) => [workload.metadata.name, getContainer(workload).ports?.[0]?.containerPort ?? 0]),
      ),
    isLet(from: string | Party, to: string | Party, port: number | { protocol: string; port: number }) {
      const [asking, asked] = [from, to].map((each) => (typeof each === 'string' ? toPod(each) : each));
      if (!asking || !asked) throw new Error('nobody asks');
      return lets(onlyPolicies(all), namespace, asking, asked, typeof port === 'number' ? tcp(port) : port);
    },
  };
}

function labelsOf(manifests: readonly Manifest[], name: string): Party['labels'] {
  return getWorkload(manifests, name).spec.template.metadata.labels ?? {};
}

function onlyPolicies(manifests: readonly Manifest[]): readonly Manifest[] {
  return manifests.filter(({ kind }) => kind === 'NetworkPolicy');
}
