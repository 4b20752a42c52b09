import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { createCheckout } from './checkout.ts';
import { refusal } from './refusal.ts';

/** A checkout whose folder `wealist` is the source. */
async function makeCheckout(local: string): Promise<string> {
  const checkout = await createCheckout({ 'env/local.yaml': `source: wealist\n${local}` });
  await mkdir(join(checkout, 'wealist/shared'), { recursive: true });
  await writeFile(join(checkout, 'wealist/npmrc'), '');
  return checkout;
}

test('build settings of a service and base images are read', async () => {
  const checkout = await makeCheckout(`
bases:
  local/base:1: { dockerfile: npmrc, context: shared, target: final }
services:
  user-service:
    target: production
    args: { VERSION: "1" }
    secrets: { npmrc: { file: npmrc }, token: { env: NPM_TOKEN } }
    ssh: [default, github=/home/me/.ssh/key]
    contexts: { shared: shared, alpine: docker-image://alpine:3 }
    platform: linux/arm/v7
`);
  const { bases, services } = await loadEnvironment({ checkout, name: 'local-kind' });
  expect(bases).toEqual({ 'local/base:1': { dockerfile: 'npmrc', context: 'shared', target: 'final' } });
  expect(services['user-service']).toMatchObject({
    args: { VERSION: '1' },
    secrets: { npmrc: { file: 'npmrc' }, token: { env: 'NPM_TOKEN' } },
    contexts: { shared: 'shared', alpine: 'docker-image://alpine:3' },
  });
});

describe('a build setting is refused at its place', () => {
  test.each([
    ['target: "a b"', 'services.user-service.target: got "a b", expected the name of a stage'],
    ['args: { VERSION: 1 }', 'args.VERSION: got 1, expected a text (text: in quotes)'],
    ['args: { 1a: "x" }', 'args.1a: got "1a", expected a name such as VERSION'],
    [
      'secrets: { a: secret }',
      'secrets.a: got "secret", expected a map with file or env, such as { env: NPM_TOKEN }',
    ],
    ['secrets: { a: { file: none } }', 'secrets.a.file: got "none", expected a file at '],
    ['ssh: default', 'ssh: got "default", expected a list of agents or keys, such as [default]'],
    ['contexts: { a: none }', 'contexts.a: got "none", expected a folder at '],
    ['platform: windows/amd64', 'platform: got "windows/amd64", expected a platform such as linux/amd64'],
    ['build: host', 'build: got host, expected the key host beside it: the command'],
    [
      "host: { run: 'go build && x', in: shared, files: [{ from: a, to: /a }] }",
      'host.run: got "go build && x", expected a command without quotes and signs of a shell; or a list of its words',
    ],
    [
      'host: { run: make, in: shared, files: [] }',
      'host.files: got a list, expected a list of files: [{ from, to }]',
    ],
    [
      'host: { run: make, in: shared, files: [{ from: ../a, to: /a }] }',
      'host.files[0].from: got "../a", expected a file or folder',
    ],
    [
      'host: { run: make, in: shared, files: [{ from: a, to: app }] }',
      'host.files[0].to: got "app", expected an absolute path',
    ],
    [
      'host: { run: make, in: shared, files: [{ from: a, to: /bin/a }] }',
      'host.files[0].to: got "/bin/a", expected a path without links, such as /usr/bin in place of /bin',
    ],
    ['tarket: a', 'tarket: got an unknown key, nearest is target'],
  ])('%s', async (line, message) => {
    const text = await refusal(await makeCheckout(`services:\n  user-service:\n    ${line}\n`));
    expect(text).toContain(message);
    expect(text).toMatch(/^env\/local\.yaml:4:/);
  });

  test.each([
    [
      'bases: { "local/base:1": { dockerfile: none } }',
      'bases."local/base:1".dockerfile: got "none", expected a file at ',
    ],
    ['bases: { "local/base:1": { dockerfile: ../x } }', 'expected a file of the source'],
    ['bases: { UPPER: { dockerfile: npmrc } }', 'expected the name of an image, such as local/base:1'],
  ])('%s', async (line, message) => {
    expect(await refusal(await makeCheckout(line))).toContain(message);
  });
});
