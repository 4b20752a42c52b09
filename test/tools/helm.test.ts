import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { createHelm } from '../../src/tools/helm.ts';
import { findHelm } from '../helm/helm.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

test('values files are found in a folder whose name has commas and quotes', async () => {
  const folder = join(await makeTemporaryFolder(), 'a, "b"');
  await mkdir(join(folder, 'chart/templates'), { recursive: true });
  await writeFile(join(folder, 'chart/Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
  await writeFile(
    join(folder, 'chart/templates/a.yaml'),
    'color: {{ .Values.color }}\nsize: {{ .Values.size }}\n',
  );
  await writeFile(join(folder, 'values.yaml'), 'color: red\nsize: 1\n');
  const helm = createHelm(exec, { program: findHelm(), kubeconfig: '', context: '' });
  const chart = { release: 'test', chart: join(folder, 'chart'), namespace: 'test', values: { size: 2 } };
  const text = await helm.template(
    { ...chart, valuesFiles: [join(folder, 'values.yaml')] },
    new AbortController().signal,
  );
  expect(text).toContain('color: red\nsize: 2');
});
