import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/schema.ts';
import { readLiveSource, readTopLayer } from '../../../src/images/source/live-source.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { hashContent } from '../../../src/lib/hash.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const toText = (content: Uint8Array) => Buffer.from(content).toString();

/** A checkout of weAlist beside one of this tool, with the service `board`. */
async function makeWorld(live: Environment['services'][string]['live'], { hasDockerfile = true } = {}) {
  const root = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  await write('services/board/main.ts', `console.log('hello', WEALIST_SOURCE_HASH);\n`);
  await write('services/board/public/a.html', 'page');
  if (hasDockerfile) await write('Dockerfile', 'FROM scratch');
  const board = {
    ...{ port: 8000, needs: [], standIn: 'services/board', build: 'auto' as const, live },
    ...{ dockerfile: 'Dockerfile', context: '.' },
  };
  const wanted: Environment = { ...environment, source: '.', services: { board } };
  const read = (...changed: readonly string[]) =>
    readLiveSource(
      { environment: wanted, checkout: root },
      {
        ...{ name: 'board', sourceHash: '0123456789abcdef' },
        changed: changed.map((path) => join(root, path)),
      },
    );
  return { root, write, read };
}

describe('the live files of a service with a Dockerfile', () => {
  const live = [
    { from: 'app/web', to: '/srv/web', build: 'source' as const },
    { from: 'app/conf', to: '/etc/board', build: 'source' as const },
    { from: 'services/board', to: '/app', build: 'stand-in' as const },
  ];

  test('are the changed ones, by their paths in the container', async () => {
    const { root, write, read } = await makeWorld(live);
    await write('app/web/deep/a.js', 'one');
    await write('app/conf/run.sh', 'two');
    await chmod(join(root, 'app/conf/run.sh'), 0o750);
    const source = await read('app/web/deep/a.js', 'app/conf/run.sh');
    expect(source).toMatchObject({ folders: ['/srv/web', '/etc/board'], program: undefined });
    expect(source?.files.map((file) => ({ ...file, content: toText(file.content) }))).toEqual([
      { path: '/srv/web/deep/a.js', mode: 0o644, content: 'one' },
      { path: '/etc/board/run.sh', mode: 0o755, content: 'two' },
    ]);
  });

  test.each([
    ['when something else has changed with it', ['app/web/a.js', 'main.py']],
    ['for a folder whose name only begins so', ['app/web-2/a.js']],
    ['when a file is gone', ['app/web/gone.js']],
    ['for a live folder itself', ['app/web']],
    ['for a new folder in it', ['app/web/deep']],
    ['for what is live of the stand-in', ['services/board/main.ts']],
  ])('are undefined %s: an image is needed', async (_, changed) => {
    const { write, read } = await makeWorld(live);
    await write('app/web/a.js', 'one');
    await write('app/web/deep/a.js', 'one');
    await write('app/web-2/a.js', 'one');
    await write('main.py', 'one');
    expect(await read(...changed)).toBeUndefined();
  });

  test('are undefined when too many have changed', async () => {
    const { root, write, read } = await makeWorld(live);
    const names = Array.from({ length: 201 }, (_, at) => `app/web/${at}.js`);
    await write('app/web/0.js', '');
    await Promise.all(names.map((name) => writeFile(join(root, name), '')));
    expect((await read(...names.slice(1)))?.files).toHaveLength(200);
    expect(await read(...names)).toBeUndefined();
  });

  test('are undefined where no folder is live', async () => {
    const { write, read } = await makeWorld([]);
    await write('app/web/a.js', 'one');
    expect(await read('app/web/a.js')).toBeUndefined();
  });
});

describe('the live files of a stand-in', () => {
  const live = [
    { from: 'services/board', to: '/app', build: 'stand-in' as const },
    { from: 'app/web', to: '/srv/web', build: 'source' as const },
  ];

  test('are all its files, compiled, whichever was changed', async () => {
    const { read, write } = await makeWorld(live, { hasDockerfile: false });
    await write('services/board/public/b.html', 'new page');
    const source = await read('services/board/public/b.html');
    expect(source).toMatchObject({ folders: ['/app'], program: '/app/main.js' });
    const files = new Map(source?.files.map(({ path, content }) => [path, toText(content)]));
    expect([...files.keys()].sort()).toEqual([
      '/app/main.js',
      '/app/main.js.map',
      '/app/public/a.html',
      '/app/public/b.html',
    ]);
    expect(files.get('/app/main.js')).toContain('"0123456789ab"');
  });

  test('lack a removed file, which the update finds out', async () => {
    const { root, read } = await makeWorld(live, { hasDockerfile: false });
    await rm(join(root, 'services/board/public/a.html'));
    const source = await read('services/board/public/a.html');
    expect(source?.files.map(({ path }) => path)).toEqual(['/app/main.js.map', '/app/main.js']);
  });

  test('are undefined for a change of a shared file', async () => {
    const { read } = await makeWorld(live, { hasDockerfile: false });
    expect(await read('services/common/run.ts')).toBeUndefined();
  });

  test('are a failure with its location when they do not compile', async () => {
    const { read, write } = await makeWorld(live, { hasDockerfile: false });
    await write('services/board/main.ts', 'const const;\n');
    await expect(read('services/board/main.ts')).rejects.toMatchObject({
      message: expect.stringMatching(/^board does not compile: .*services\/board\/main\.ts:1:7: /),
      exitCode: 7,
    });
  });
});

test("an image's live files are read from its uppermost layer", async () => {
  const store = openStore(await makeTemporaryFolder());
  const below = await store.putBlob(packLayer([{ path: 'app/packages/pg.js', content: 'pg' }]));
  const own = await store.putBlob(
    packLayer([
      { path: 'app/main.js', content: 'main' },
      { path: 'app/link', link: 'main.js' },
      { path: 'app/public/a.html', content: 'page' },
    ]),
  );
  const contents = await readTopLayer(store, { config: '{}', layers: [below, own] });
  expect(Object.fromEntries(contents)).toEqual({
    '/app/main.js': hashContent(Buffer.from('main')),
    '/app/public/a.html': hashContent(Buffer.from('page')),
  });
  expect(await readTopLayer(store, { config: '{}', layers: [] })).toEqual(new Map());
});
