import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from '../../src/config/parse.ts';
import { ConfigFailure } from '../../src/config/problems.ts';
import { exec } from '../../src/tools/exec.ts';
import { findHelm } from '../helm/helm.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

function refusal(text: string, options = {}): string {
  try {
    parse(text, 'helm/mine.yaml', options);
  } catch (error) {
    if (error instanceof ConfigFailure) return error.message;
    throw error;
  }
  return '';
}

describe('a value without quotes that YAML 1.1 and 1.2 read differently is refused', () => {
  test.each([
    ['NO', 'false'],
    ['on', 'true'],
    ['Off', 'false'],
    ['y', 'true'],
    ['1_000', '1000'],
    ['-1_0.5', '-10.5'],
    ['0777', '511'],
    ['0b11', '3'],
    ['12:30', '750'],
    ['1:20:30', '4830'],
  ])('%s', (source, other) => {
    expect(refusal(`services:\n  noti-service: { config: { A: ${source} } }\n`)).toBe(
      `helm/mine.yaml:2:32 services.noti-service.config.A: got ${source}, which YAML 1.1 reads as ${other}, expected ${other} or "${source}" (text: in quotes)`,
    );
  });

  test('in a list, and as a key', () => {
    expect(refusal('a: [x, yes]')).toMatch(/^helm\/mine.yaml:1:8 a\[1\]: got yes, /);
    expect(refusal('config:\n  ON: "1"')).toMatch(/^helm\/mine.yaml:2:3 config.ON: got ON, /);
  });

  test('all of them at once', () => {
    expect(refusal('a: NO\nb: 1_000\nc: "NO"').split('\n')).toHaveLength(2);
  });

  test('and a secret is not repeated', () => {
    expect(refusal('shared: { secrets: { JWT_SECRET: 1_234_567 } }', { isSecret: true })).toBe(
      'helm/mine.yaml:1:34 shared.secrets.JWT_SECRET: got a text that YAML 1.1 reads as another value, expected it in quotes',
    );
  });
});

test('all others are accepted', () => {
  const accepted = [
    ...[
      'true',
      'null',
      '~',
      '0',
      '-5',
      '+5',
      '1.5',
      '1e3',
      '.5',
      '.inf',
      '08',
      '0x1F',
      '100m',
      '64Mi',
      '10s',
    ],
    ...[
      '"NO"',
      "'1_000'",
      'none',
      'nobody',
      'only',
      'yess',
      'a_1',
      'http://x:80',
      '8080:80',
      '1.2.3',
      '2026-11-30',
    ],
    ...['docker.io/library/postgres:17.6', '127.0.0.1:5000', 'v1', 'sha256:0123', 'fe80::/10', '::/0'],
  ];
  for (const source of accepted) expect([source, refusal(`a: ${source}`)]).toEqual([source, '']);
});

test('what is accepted, Helm reads as this tool does', async () => {
  const chart = await makeTemporaryFolder();
  const sources = [
    '0',
    '-5',
    '1.5',
    '1e3',
    '.5',
    '08',
    '0x1F',
    '100m',
    'none',
    'a_1',
    '8080:80',
    '1.2.3',
    '"NO"',
    'true',
  ];
  await mkdir(join(chart, 'templates'));
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: x\nversion: 0.1.0\n');
  const values = `values: [${sources.join(', ')}]\n`;
  await writeFile(join(chart, 'values.yaml'), values);
  await writeFile(join(chart, 'templates/all.yaml'), 'a: {{ toJson .Values.values }}\n');
  const { stdout } = await exec(findHelm(), ['template', 'x', chart]);
  const [, json = ''] = /^a: (.*)$/m.exec(stdout) ?? [];
  const tree = parse(values, 'values.yaml').entries.get('values')?.value;
  const read =
    tree?.kind === 'list' ? tree.items.map((item) => (item.kind === 'scalar' ? item.value : item)) : [];
  expect(JSON.parse(json)).toEqual(read);
});
