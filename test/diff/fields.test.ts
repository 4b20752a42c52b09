import { expect, test } from 'vitest';
import { compareFields, listDropped, maskChanges, toFields } from '../../src/diff/fields.ts';

const pod = (containers: readonly object[]) => ({ spec: { template: { spec: { containers } } } });
const compare = (before: object, after: object) => compareFields(toFields(before), toFields(after));

test('items of a list are identified by their names, in any order', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ];
  const main = { name: 'main', image: 'a:1', env };
  const sidecar = { name: 'sidecar', image: 's:1' };
  expect(compare(pod([main, sidecar]), pod([sidecar, { ...main, env: env.toReversed() }]))).toEqual([]);
  expect(
    compare(pod([main]), pod([{ ...main, image: 'a:2', env: [env[0] ?? {}, { name: 'C', value: '3' }] }])),
  ).toEqual([
    { path: 'spec.template.spec.containers[main].image', before: '"a:1"', after: '"a:2"' },
    { path: 'spec.template.spec.containers[main].env[C].name', before: undefined, after: '"C"' },
    { path: 'spec.template.spec.containers[main].env[C].value', before: undefined, after: '"3"' },
    { path: 'spec.template.spec.containers[main].env[B].name', before: '"B"', after: undefined },
    { path: 'spec.template.spec.containers[main].env[B].value', before: '"2"', after: undefined },
  ]);
});

test('the order of words counts: a command is one value', () => {
  expect(compare({ command: ['node', 'a'] }, { command: ['a', 'node'] })).toEqual([
    { path: 'command', before: '["node","a"]', after: '["a","node"]' },
  ]);
});

test('a text and a number differ, an empty map is a value, keys with dots are quoted', () => {
  expect(compare({ port: '80' }, { port: 80 })).toEqual([{ path: 'port', before: '"80"', after: '80' }]);
  expect(compare({ a: 1 }, { a: 1, podSelector: {} })).toEqual([
    { path: 'podSelector', before: undefined, after: '{}' },
  ]);
  expect(compare({ a: 1 }, { labels: { 'app.kubernetes.io/name': 'x' } })[0]?.path).toBe(
    'labels["app.kubernetes.io/name"]',
  );
});

test('fields set by the API server are ignored', () => {
  const set = {
    status: { replicas: 1 },
    metadata: {
      name: 'x',
      uid: '1',
      resourceVersion: '2',
      generation: 3,
      creationTimestamp: 'now',
      managedFields: [{ manager: 'helm' }],
      annotations: { 'deployment.kubernetes.io/revision': '3' },
    },
  };
  expect(compare(set, { metadata: { name: 'x' } })).toEqual([]);
  expect(compare(set, { metadata: { name: 'x', labels: { generation: 'y' } } })).toHaveLength(1);
});

test("fields that Helm would remove, although the dry run's result still has them", () => {
  const earlier = toFields({ data: { A: '1', B: '2' } });
  const manifest = toFields({ data: { A: '1' } });
  const answer = toFields({ data: { A: '1', B: '2', C: 'by hand' } });
  expect(listDropped(earlier, manifest, answer)).toEqual([
    { path: 'data.B', before: '"2"', after: undefined },
  ]);
});

test('of a Secret it is shown that a value differs, but not the value', () => {
  const secret = (data: object) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type: 'Opaque' },
    data,
  });
  const changes = compare(secret({ A: 'b2xk' }), { ...secret({ A: 'bmV3', B: 'eA==' }), type: 'Other' });
  expect(maskChanges(secret({}), changes)).toEqual([
    { path: 'type', before: '"Opaque"', after: '"Other"' },
    { path: 'data.A', before: '***', after: '***' },
    { path: 'data.B', before: undefined, after: '***' },
  ]);
});
