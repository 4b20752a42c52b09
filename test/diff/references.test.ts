import { expect, test } from 'vitest';
import { parseManifests, withoutSecrets } from '../../src/diff/manifest.ts';
import { listOutsideReferences } from '../../src/diff/references.ts';

const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    spec:
      initContainers:
        - name: first
          env: [{name: X, valueFrom: {secretKeyRef: {name: shared, key: FIRST}}}]
      containers:
        - name: main
          envFrom:
            - configMapRef: {name: held}
            - secretRef: {name: shared}
            - secretRef: {name: perhaps, optional: true}
          env:
            - {name: Y, valueFrom: {secretKeyRef: {name: shared, key: SECOND}}}
            - {name: Z, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      volumes:
        - {name: v, secret: {secretName: certificate}}
        - {name: w, configMap: {name: script}}
        - {name: e, emptyDir: {}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: held}
---
`;

test('what pods read and the manifests do not contain', () => {
  expect(listOutsideReferences(parseManifests(text))).toEqual([
    { kind: 'Secret', name: 'shared', keys: ['FIRST', 'SECOND'] },
    { kind: 'Secret', name: 'certificate', keys: [] },
    { kind: 'ConfigMap', name: 'script', keys: [] },
  ]);
});

test('a Secret keeps its keys only, any other object all values', () => {
  const [secret, other] = parseManifests(
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {A: eA==}\nstringData: {B: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {A: x}\n',
  );
  if (!secret || !other) throw new Error('two objects were expected');
  expect(withoutSecrets(secret)).toMatchObject({ data: { A: '***' }, stringData: { B: '***' } });
  expect(withoutSecrets(other)).toBe(other);
});

test.each(['a: [', 'a: 1\na: 2\n', 'kind: Pod\n', '- a\n'])('%j is not an object', (text) => {
  expect(() => parseManifests(text)).toThrow();
});

test('YAML is read as Kubernetes reads it', () => {
  const [object] = parseManifests(
    'apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec: {mode: 0644, on: on, day: 2024-01-01, time: 22:22, text: "on"}\n',
  );
  expect(object?.spec).toEqual({ mode: 420, true: true, day: '2024-01-01', time: '22:22', text: 'on' });
});
