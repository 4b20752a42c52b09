import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/schema.ts';
import { createServiceSources } from '../../../src/images/source/service-sources.ts';
import { listSaved } from '../../../src/images/source/source-state.ts';
import { type DockerfileState, hasSameBases, toBuiltState } from '../../../src/images/source/with-bases.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** Six services in the shape of weAlist's, whose context is the root, and an engine with some images. */
async function makeWorld(files: Readonly<Record<string, string>>, settings: Partial<Environment> = {}) {
  const root = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) await write(path, content);
  const names = ['user', 'board', 'chat', 'noti', 'storage', 'video'];
  const services = Object.fromEntries(
    names.map((name, at) => [
      name,
      {
        ...{ port: 8000 + at, needs: [], standIn: 'x', build: 'source' as const, live: [] },
        ...{ dockerfile: `services/${name}/Dockerfile`, context: '.' },
      },
    ]),
  );
  const images = new Map<string, string>();
  const sources = createServiceSources({
    environment: { ...environment, source: '.', services, ...settings },
    ...{ checkout: root, architecture: 'amd64', store: { findImage: async () => undefined } },
    findBase: async () => undefined,
    findImageId: async (reference) => images.get(reference),
  });
  const read = async (name: string) => (await sources.read(name)) as DockerfileState;
  const readAll = async () =>
    new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
  return { root, names, write, images, read, readAll };
}

const goFiles = Object.fromEntries(
  ['user', 'board', 'chat', 'noti', 'storage', 'video'].flatMap((name) => [
    [
      `services/${name}/Dockerfile`,
      `FROM golang:1.24 AS build\nCOPY packages/shared/ /shared/\nCOPY services/${name}/ /src/\nFROM alpine\nCOPY --from=build /a /a\n`,
    ],
    [`services/${name}/main.go`, 'package main'],
  ]),
);

test('of six services with one context, an edit of one leaves five as they are', async () => {
  const { write, readAll } = await makeWorld({ ...goFiles, 'packages/shared/a.go': 'package shared' });
  const before = await readAll();
  await write('services/user/main.go', 'package main // edited');
  await write('README.md', 'edited');
  const after = await readAll();
  const changed = [...after].filter(([name, { hash }]) => hash !== before.get(name)?.hash);
  expect(changed.map(([name]) => name)).toEqual(['user']);
  await write('packages/shared/a.go', 'package shared // edited');
  const last = await readAll();
  expect([...last].filter(([name, { hash }]) => hash !== after.get(name)?.hash)).toHaveLength(6);
});

describe('a base image in the engine', () => {
  test('is part of the source by its ID', async () => {
    const { images, read } = await makeWorld(goFiles);
    const absent = await read('user');
    images.set('alpine', 'sha256:one');
    const one = await read('user');
    images.set('alpine', 'sha256:two');
    const two = await read('user');
    expect(new Set([absent.hash, one.hash, two.hash]).size).toBe(3);
    expect(listSaved(one, two)).toEqual([]);
    expect([hasSameBases(one, two), hasSameBases(two, await read('user'))]).toEqual([false, true]);
  });

  test('that the build itself brought belongs to it, and one that was replaced during the build does not', async () => {
    const { images, read } = await makeWorld(goFiles);
    const before = await read('user');
    images.set('alpine', 'sha256:one');
    const after = await read('user');
    expect(toBuiltState(before, after)?.hash).toBe(after.hash);
    images.set('alpine', 'sha256:two');
    expect(toBuiltState(after, await read('user'))).toBeUndefined();
  });
});

describe('a base image that another Dockerfile of the source builds', () => {
  const files = {
    ...goFiles,
    'services/user/Dockerfile': 'FROM local/go:1\nCOPY services/user /src\n',
    'docker/base/go/Dockerfile': 'FROM local/certificates\nCOPY tools /tools\n',
    'docker/base/go/tools/a': 'a',
    'images/certificates.Dockerfile': 'FROM alpine\nCOPY certificates /etc/ssl\n',
    'certificates/ca.crt': 'one',
  };
  const bases = {
    'local/certificates': { dockerfile: 'images/certificates.Dockerfile', context: '.', args: { A: '1' } },
  };

  test('is found by its place or its entry, and comes after its own base', async () => {
    const { read, root, images } = await makeWorld(files, { bases });
    images.set('local/go:1', 'sha256:built-by-hand');
    const { bases: found } = await read('user');
    expect(found.map(({ reference, source }) => ({ reference, ...source }))).toEqual(
      [
        {
          ...{ reference: 'local/certificates', root, live: [] },
          ...bases['local/certificates'],
          args: undefined,
          settings: { args: { A: '1' } },
        },
        {
          ...{ reference: 'local/go:1', root, live: [], settings: {} },
          ...{ dockerfile: 'docker/base/go/Dockerfile', context: 'docker/base/go' },
        },
      ].map(({ args: _, ...each }: Record<string, unknown>) => each),
    );
  });

  test('changes the services that stand on it when one of its files changes, as a save', async () => {
    const { write, readAll, read, root, images } = await makeWorld(files, { bases });
    const before = await readAll();
    await write('certificates/ca.crt', 'another');
    const after = await readAll();
    expect(
      [...after].filter(([name, { hash }]) => hash !== before.get(name)?.hash).map(([name]) => name),
    ).toEqual(['user']);
    const [one, two] = [before.get('user'), after.get('user')];
    expect(one && two && listSaved(one, two)).toEqual([join(root, 'certificates/ca.crt')]);
    // Its image in the engine follows from its source.
    images.set('local/go:1', 'sha256:any');
    expect((await read('user')).hash).toBe(two?.hash);
    expect(two?.folders.map(({ folder }) => folder)).toEqual([root, join(root, 'docker/base/go'), root]);
  });

  test('whose Dockerfile begins with the image of its own name stands on that one', async () => {
    const { read, images, write, root } = await makeWorld({
      ...files,
      'docker/base/go/Dockerfile': 'FROM go:1.24\nCOPY tools /tools\n',
    });
    images.set('go:1.24', 'sha256:upstream');
    const { bases: found } = await read('user');
    expect(found).toMatchObject([
      { reference: 'local/go:1', state: { images: new Map([['go:1.24', 'sha256:upstream']]) } },
    ]);
    await write('docker/base/go/Dockerfile', 'FROM local/b\n');
    await write('docker/base/b/Dockerfile', 'FROM local/go:1\n');
    expect((await read('user')).bases.map(({ reference }) => reference)).toEqual(['local/b', 'local/go:1']);
    await rm(join(root, 'docker/base'), { recursive: true });
    expect((await read('user')).bases).toEqual([]);
  });
});

describe('build settings', () => {
  test('are part of the source, but not the secrets', async () => {
    const { root } = await makeWorld(goFiles);
    const hashOf = async (settings: object) => {
      const services = {
        user: {
          ...{ port: 8000, needs: [], standIn: 'x', build: 'source' as const, live: [] },
          ...{ dockerfile: 'services/user/Dockerfile', context: '.' },
          ...settings,
        },
      };
      const sources = createServiceSources({
        environment: { ...environment, source: '.', services },
        ...{ checkout: root, architecture: 'amd64', store: { findImage: async () => undefined } },
        findBase: async () => undefined,
        findImageId: async () => undefined,
      });
      return (await sources.read('user')).hash;
    };
    const plain = await hashOf({});
    const hashes = await Promise.all(
      [
        { target: 'build' },
        { args: { A: '1' } },
        { args: { A: '2' } },
        { ssh: ['default'] },
        { platform: 'linux/arm64' },
      ].map(hashOf),
    );
    expect(new Set([plain, ...hashes]).size).toBe(6);
    expect(await hashOf({ secrets: { a: { env: 'B' } } })).toBe(plain);
  });

  test('an additional context is read where the Dockerfile names it', async () => {
    const { root, write } = await makeWorld({
      'services/user/Dockerfile': 'FROM scratch\nCOPY --from=shared lib /lib\n',
      'other/lib/a': 'a',
    });
    const services = {
      user: {
        ...{ port: 8000, needs: [], standIn: 'x', build: 'source' as const, live: [] },
        ...{
          dockerfile: 'services/user/Dockerfile',
          context: 'services',
          contexts: { shared: 'other', unused: '.' },
        },
      },
    };
    const sources = createServiceSources({
      environment: { ...environment, source: '.', services },
      ...{ checkout: root, architecture: 'amd64', store: { findImage: async () => undefined } },
      findBase: async () => undefined,
      findImageId: async () => undefined,
    });
    const before = await sources.read('user');
    await write('other/lib/a', 'another');
    await write('other/b', 'b');
    expect(listSaved(before, await sources.read('user'))).toEqual([join(root, 'other/lib/a')]);
    expect((await sources.listFolders('user')).map(({ folder }) => folder)).toEqual([
      join(root, 'services'),
      join(root, 'other'),
    ]);
  });
});
