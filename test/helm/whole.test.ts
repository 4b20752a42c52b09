import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { secretKeys } from '../../src/lib/secret-rules.ts';
import { serviceTable } from '../service-table.ts';
import { chartsOf, environments, lint, parseManifests, renderText, serviceCharts } from './helm.ts';
import {
  containersOf,
  getManifest,
  getWorkload,
  listIngresses,
  listServices,
  listWorkloads,
  type Manifest,
} from './manifests.ts';
import { listDangling, portsOf, type Reference } from './references.ts';
import { listViolations } from './restricted.ts';

/** Secret wealist-shared-secret of an environment that is rendered without secrets: somebody else makes it. */
const existingSecret: readonly Reference[] = secretKeys.map((key) => ({
  ...{ kind: 'Secret', name: 'wealist-shared-secret' },
  key,
}));

describe.each(environments)('%s: all charts together', (environment) => {
  let texts: readonly string[];
  let all: readonly Manifest[];
  let ours: readonly Manifest[];
  beforeAll(async () => {
    const charts = chartsOf(environment);
    texts = await Promise.all(charts.map((chart) => renderText(chart, { environment })));
    // A key that stands twice in an object is refused here.
    const manifests = texts.map(parseManifests);
    all = manifests.flat();
    ours = manifests.filter((_, at) => charts[at] !== 'ingress-traefik').flat();
  });

  it('pass helm lint, strictly', async () => {
    const count = chartsOf(environment).length;
    expect(await lint(environment)).toContain(`${count} chart(s) linted, 0 chart(s) failed`);
  });

  it('make each object once', () => {
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('leave nothing that a template or a person did not fill in', () => {
    expect(texts.join('\n').match(/<no value>|<nil>|map\[|%!/g)).toBeNull();
    expect(all.flatMap((manifest) => listUnexpanded(manifest, manifest.metadata.name))).toEqual([]);
  });

  it('label each object, and select only what is labelled so', () => {
    for (const { metadata } of all) {
      const labels = Object.keys(metadata.labels ?? {}).filter((key) => !key.startsWith('pod-security.'));
      expect(labels.sort(), metadata.name).toEqual([
        'app',
        ...['instance', 'managed-by', 'name', 'part-of', 'version'].map(
          (label) => `app.kubernetes.io/${label}`,
        ),
      ]);
    }
    for (const { metadata, spec } of listWorkloads(all)) {
      const labels = spec.template.metadata.labels;
      expect(labels).toMatchObject(spec.selector?.matchLabels ?? {});
      expect(labels?.app).toBe(metadata.name.replace(/^bootstrap-.*/, 'bootstrap'));
    }
  });

  it('point every Service at one workload and a port of it', () => {
    for (const { metadata, spec } of listServices(all)) {
      const pods = listWorkloads(all).filter(({ spec: { template } }) =>
        Object.entries(spec.selector).every(([key, value]) => template.metadata.labels?.[key] === value),
      );
      expect(pods.map((pod) => pod.metadata.name)).toEqual([metadata.name]);
      const ports = pods.flatMap((pod) => pod.spec.template.spec.containers[0]?.ports ?? []);
      for (const { port, targetPort } of spec.ports) {
        expect(ports).toContainEqual(expect.objectContaining({ name: targetPort, containerPort: port }));
      }
    }
  });

  it('hold everything that they name, or it is declared as existing outside', () => {
    const hasSecret = all.some(({ metadata }) => metadata.name === 'wealist-shared-secret');
    expect(hasSecret).toBe(environment === 'local-kind');
    expect(listDangling(all, hasSecret ? [] : existingSecret)).toEqual([]);
  });

  it('lead routes and addresses to the ports that Services have', () => {
    const ports = portsOf(all);
    for (const { metadata, spec } of listIngresses(all)) {
      for (const { backend } of spec.rules.flatMap(({ http }) => http.paths)) {
        expect(ports.get(backend.service.name), metadata.name).toBe(backend.service.port.number);
      }
    }
    const { data = {} } = getManifest(all, 'ConfigMap', 'wealist-shared-config');
    const addresses = Object.entries(data).filter(([key]) => /_(SERVICE_URL|ENDPOINT)$/.test(key));
    const routed = Object.values(serviceTable).filter(({ route }) => route !== undefined);
    // And the two of S3.
    expect(addresses).toHaveLength(routed.length + 2);
    for (const [key, address] of addresses) {
      const { hostname, port } = new URL(address);
      if (!hostname.includes('.')) expect(String(ports.get(hostname)), key).toBe(port);
    }
    for (const store of ['DB', 'REDIS']) {
      const host = data[`${store}_HOST`] ?? '';
      if (!host.includes('.')) expect(String(ports.get(host))).toBe(data[`${store}_PORT`]);
    }
  });

  it('pull no image that is there', () => {
    const containers = listWorkloads(all).flatMap(({ spec }) => containersOf(spec.template.spec));
    const policies = new Set(containers.map(({ imagePullPolicy }) => imagePullPolicy));
    expect(policies).toEqual(new Set(['IfNotPresent']));
  });

  it('keep every pod to the restricted Pod Security Standard, whatever its namespace asks for', () => {
    for (const { metadata, spec } of listWorkloads(ours)) {
      expect(listViolations(spec.template.spec), metadata.name).toEqual([]);
    }
  });

  it('never wait for a volume that the pod to be replaced still has', () => {
    // A rolling update starts the new pod first; a StatefulSet ends the old one first.
    const withClaim = listWorkloads(all).filter(({ spec }) =>
      spec.template.spec.volumes?.some((volume) => 'persistentVolumeClaim' in volume),
    );
    expect(withClaim.map(({ metadata }) => metadata.name)).toEqual([]);
  });

  it('give each container a root that it cannot write, requests, limits, and its pod no account', () => {
    const limits = environment === 'local-kind' ? ['memory'] : ['cpu', 'memory'];
    for (const { metadata, spec } of listWorkloads(ours)) {
      const pod = spec.template.spec;
      expect(pod.automountServiceAccountToken, metadata.name).toBe(false);
      for (const { securityContext, resources } of containersOf(pod)) {
        expect(securityContext?.readOnlyRootFilesystem).toBe(true);
        expect(Object.keys(resources?.requests ?? {}).sort()).toEqual(['cpu', 'memory']);
        expect(Object.keys(resources?.limits ?? {}).sort()).toEqual(limits);
      }
    }
  });
});

describe('local-kind', () => {
  const render = async () =>
    (await Promise.all(chartsOf('local-kind').map((chart) => renderText(chart)))).flatMap(parseManifests);

  it('takes every image from the file of images', async () => {
    const file = await readFile(join(import.meta.dirname, 'values/images.yaml'), 'utf8');
    const { images, serviceImages } = parse(file) as {
      images: Record<string, string>;
      serviceImages: { repository: string; tag: string };
    };
    const known = [
      ...Object.values(images),
      ...serviceCharts.map((name) => `${serviceImages.repository}/${name}:${serviceImages.tag}`),
    ];
    const containers = listWorkloads(await render()).flatMap(({ spec }) => containersOf(spec.template.spec));
    expect(new Set(containers.map(({ image }) => image))).toEqual(new Set(known));
  });

  it('takes ports of the node where it is the ingress, and nothing else that is forbidden', async () => {
    const traefik = getWorkload(await render(), 'traefik');
    expect(listViolations(traefik.spec.template.spec)).toEqual(['traefik: hostPort']);
  });
});

/** Where a text still holds what somebody meant to fill in; programs, which have a use for it, aside. */
function listUnexpanded(value: unknown, path: string): readonly string[] {
  if (typeof value === 'string') return value.includes('$' + '{') ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) =>
    /^(command|args)$|\.(sh|sql)$/.test(key) ? [] : listUnexpanded(below, `${path}.${key}`),
  );
}
