import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { allCharts, parseManifests, renderText } from './helm.ts';
import {
  containersOf,
  getManifest,
  getWorkload,
  listIngresses,
  listServices,
  listWorkloads,
  type Manifest,
} from './manifests.ts';
import { listViolations } from './restricted.ts';

let texts: readonly string[];
let all: readonly Manifest[];
let ours: readonly Manifest[];
beforeAll(async () => {
  texts = await Promise.all(allCharts.map((chart) => renderText(chart)));
  const charts = texts.map(parseManifests);
  all = charts.flat();
  ours = charts.slice(0, -1).flat();
});

describe('all charts together', () => {
  it('make each object once', () => {
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('leave nothing that a template did not fill in', () => {
    expect(texts.join('\n').match(/<no value>|<nil>|map\[|%!/g)).toBeNull();
  });

  it('label each object, and select only what is labelled so', () => {
    for (const { metadata } of all) {
      const { labels = {} } = metadata;
      expect(Object.keys(labels).sort(), metadata.name).toEqual([
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

  it('hold every ConfigMap, Secret, key and account that a pod names', () => {
    const missing = listWorkloads(all).flatMap(({ metadata, spec }) => {
      const pod = spec.template.spec;
      const accounts: readonly Named[] = pod.serviceAccountName
        ? [{ kind: 'ServiceAccount', name: pod.serviceAccountName }]
        : [];
      const references: readonly Named[] = [
        ...containersOf(pod).flatMap(listReferences),
        ...listVolumeReferences(pod),
        ...accounts,
      ];
      return references
        .filter(({ kind, name, key }) => {
          const found = all.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
          return !found || (key !== undefined && found.data?.[key] === undefined);
        })
        .map(({ kind, name, key }) => `${metadata.name}: ${kind} ${name} ${key ?? ''}`);
    });
    expect(missing).toEqual([]);
  });

  it('hold every Service that a route or an address names', () => {
    const ports = new Map(
      listServices(all).map(({ metadata, spec }) => [metadata.name, spec.ports[0]?.port]),
    );
    for (const { metadata, spec } of listIngresses(all)) {
      for (const { backend } of spec.rules.flatMap(({ http }) => http.paths)) {
        expect(ports.get(backend.service.name), metadata.name).toBe(backend.service.port.number);
      }
    }
    const { data = {} } = getManifest(all, 'ConfigMap', 'wealist-shared-config');
    // Nothing of ours runs LiveKit: there is no image of it without a registry.
    const inside = Object.entries(data).filter(([key]) =>
      /^(?!LIVEKIT)\w+_(SERVICE_URL|ENDPOINT)$/.test(key),
    );
    for (const [key, address] of inside.filter(([key]) => key !== 'S3_PUBLIC_ENDPOINT')) {
      const { hostname, port } = new URL(address);
      expect(String(ports.get(hostname)), key).toBe(port);
    }
    expect(inside).toHaveLength(9);
    expect(String(ports.get(data.DB_HOST ?? ''))).toBe(data.DB_PORT);
    expect(String(ports.get(data.REDIS_HOST ?? ''))).toBe(data.REDIS_PORT);
  });

  it('take every image from the file of images, and pull none that is there', async () => {
    const file = await readFile(join(import.meta.dirname, 'values/images.yaml'), 'utf8');
    const known = Object.values(parse(file).images as Record<string, string>);
    const containers = listWorkloads(all).flatMap(({ spec }) => containersOf(spec.template.spec));
    expect(new Set(containers.map(({ image }) => image))).toEqual(new Set(known));
    expect(new Set(containers.map(({ imagePullPolicy }) => imagePullPolicy))).toEqual(
      new Set(['IfNotPresent']),
    );
  });
});

describe('every pod', () => {
  it('keeps to the restricted Pod Security Standard', () => {
    for (const { metadata, spec } of listWorkloads(ours)) {
      expect(listViolations(spec.template.spec), metadata.name).toEqual([]);
    }
  });

  it('takes ports of the node where it is the ingress, and nothing else that is forbidden', () => {
    expect(listViolations(getWorkload(all, 'traefik').spec.template.spec)).toEqual(['traefik: hostPort']);
  });

  it('has a root file system that it cannot write, requests, a memory limit and no account', () => {
    for (const { metadata, spec } of listWorkloads(ours)) {
      const pod = spec.template.spec;
      expect(pod.automountServiceAccountToken, metadata.name).toBe(false);
      for (const { securityContext, resources } of containersOf(pod)) {
        expect(securityContext?.readOnlyRootFilesystem).toBe(true);
        expect(Object.keys(resources?.requests ?? {}).sort()).toEqual(['cpu', 'memory']);
        expect(Object.keys(resources?.limits ?? {})).toEqual(['memory']);
      }
    }
  });
});

interface Named {
  readonly kind: string;
  readonly name: string;
  readonly key?: string | undefined;
}

function listReferences({
  envFrom = [],
  env = [],
}: ReturnType<typeof containersOf>[number]): readonly Named[] {
  return [...envFrom, ...env.map(({ valueFrom }) => valueFrom ?? {})].flatMap((source) =>
    Object.entries(source).map(([type, reference]) => ({
      kind: type.startsWith('secret') ? 'Secret' : 'ConfigMap',
      ...(reference as { name: string; key?: string }),
    })),
  );
}

function listVolumeReferences({ volumes = [] }: Parameters<typeof containersOf>[0]): readonly Named[] {
  return volumes.flatMap((volume) => {
    const { configMap, secret } = volume as {
      readonly configMap?: { readonly name: string };
      readonly secret?: { readonly secretName: string };
    };
    return [
      ...(configMap ? [{ kind: 'ConfigMap', name: configMap.name }] : []),
      ...(secret ? [{ kind: 'Secret', name: secret.secretName }] : []),
    ];
  });
}
