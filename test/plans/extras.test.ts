import { expect, test } from 'vitest';
import { extraNames } from '../../src/config/extras.ts';
import { toExtraAddresses } from '../../src/plans/addresses.ts';
import {
  extras,
  hostsOfExtras,
  imagesOfExtras,
  lackingOf,
  routedNamespacesOfExtras,
  toExtraNames,
} from '../../src/plans/extras.ts';

const monitoring = { extras: ['monitoring'], lacking: [] };

test('an optional image that is lacking removes only its host', () => {
  expect(imagesOfExtras(monitoring)).toContain('grafana');
  expect(hostsOfExtras(monitoring).map(({ name }) => name)).toContain('grafana');
  const without = { ...monitoring, lacking: ['grafana'] };
  expect(imagesOfExtras(without)).toEqual(imagesOfExtras(monitoring).filter((name) => name !== 'grafana'));
  expect(hostsOfExtras(without).map(({ name }) => name)).not.toContain('grafana');
  expect(hostsOfExtras(without)).toHaveLength(hostsOfExtras(monitoring).length - 1);
  expect(lackingOf('monitoring', without)).toEqual(['grafana']);
});

test('metrics-server has no host and no optional image', () => {
  const metrics = { extras: ['metrics'], lacking: [] };
  expect(imagesOfExtras(metrics)).toEqual(['metrics-server']);
  expect(hostsOfExtras(metrics)).toEqual([]);
});

test('no extras, no images', () => {
  expect(imagesOfExtras({ extras: [], lacking: [] })).toEqual([]);
  expect(toExtraNames({ extras: ['tracing', 'monitoring'] })).toEqual(['monitoring']);
});

test('the ingress controller watches only namespaces of extras with routes', () => {
  expect(routedNamespacesOfExtras({ extras: ['argocd'], lacking: [] })).toEqual([]);
  expect(routedNamespacesOfExtras({ extras: ['argocd', 'monitoring'], lacking: [] })).toEqual(['monitoring']);
  const lacking = extras.monitoring.hosts.map(({ image }) => image);
  expect(routedNamespacesOfExtras({ ...monitoring, lacking })).toEqual([]);
});

test('each host is below the platform, on its port', () => {
  const urls = toExtraAddresses({ ...monitoring, httpPort: 8080 }).map(({ url }) => url);
  expect(urls).toContain('http://prometheus.localhost:8080/-/ready');
});

test('each release is in a namespace of its extra, each host has an image of it', () => {
  for (const name of extraNames) {
    const { images, optionalImages, namespaces, releases, hosts } = extras[name];
    const known = [...namespaces.map((namespace) => namespace.name), 'kube-system'];
    for (const { namespace } of releases) expect(known, name).toContain(namespace);
    for (const { image } of hosts) expect([...images, ...optionalImages], name).toContain(image);
  }
});
