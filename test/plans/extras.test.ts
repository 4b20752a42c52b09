import { expect, test } from 'vitest';
import { extraNames } from '../../src/config/extras.ts';
import { toExtraAddresses } from '../../src/plans/addresses.ts';
import {
  type ExtrasChoice,
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

test('an optional image with a substitute is replaced, with its host', () => {
  const without = { ...monitoring, lacking: ['loki'] };
  expect(imagesOfExtras(monitoring)).not.toContain('victoria-logs');
  expect(imagesOfExtras(without)).toEqual(
    imagesOfExtras(monitoring).map((name) => (name === 'loki' ? 'victoria-logs' : name)),
  );
  const namesOf = (choice: ExtrasChoice) => hostsOfExtras(choice).map(({ name }) => name);
  expect(namesOf(monitoring)).toEqual(['grafana', 'prometheus', 'loki']);
  expect(namesOf(without)).toEqual(['grafana', 'prometheus', 'victoria-logs']);
  expect(lackingOf('monitoring', without)).toEqual(['loki']);
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
});

test('each host is below the platform, on its port', () => {
  const urls = toExtraAddresses({ ...monitoring, httpPort: 8080 }).map(({ url }) => url);
  expect(urls).toContain('http://prometheus.localhost:8080/-/ready');
});

test('each release is in a namespace of its extra, each host has an image of it', () => {
  for (const name of extraNames) {
    const { images, optionalImages, substitutes = {}, namespaces, releases, hosts } = extras[name];
    const known = [...namespaces.map((namespace) => namespace.name), 'kube-system'];
    for (const { namespace } of releases) expect(known, name).toContain(namespace);
    for (const { image } of hosts) {
      expect([...images, ...optionalImages, ...Object.values(substitutes)], name).toContain(image);
    }
  }
});
