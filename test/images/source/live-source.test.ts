import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/schema.ts';
import { readLiveBase, readLiveSource, readTopLayer } from '../../../src/images/source/live-source.ts';
import { type LiveTree, listDifferent } from '../../../src/images/source/live-tree.ts';
import { createServiceSources } from '../../../src/images/source/service-sources.ts';
import { listSaved } from '../../../src/images/source/source-state.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** A checkout of weAlist beside one of this tool, with the service `board`, whose image is that of the source now. */
async function makeWorld(live: Environment['services'][string]['live'], { hasDockerfile = true } = {}) {
  const root = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  const store = openStore(await makeTemporaryFolder());
  const image = { config: '{}', layers: [] };
  await write('services/board/main.ts', `console.log('hello', WEALIST_SOURCE_HASH);\n`);
  await write('services/board/public/a.html', 'page');
  await write('services/common/run.ts', '');
  for (const file of ['package.json', 'package-lock.json']) {
    await copyFile(join(import.meta.dirname, '../../..', file), join(root, file));
  }
  if (hasDockerfile) await write('Dockerfile', 'FROM scratch\nCOPY . /\n');
  const board = {
    ...{ port: 8000, needs: [], standIn: 'services/board', build: 'auto' as const, live },
    ...{ dockerfile: 'Dockerfile', context: '.' },
  };
  const wanted: Environment = { ...environment, source: '.', services: { board } };
  const deps = { environment: wanted, checkout: root, name: 'board' };
  const sources = createServiceSources({
    ...{ environment: wanted, checkout: root, architecture: 'amd64', store },
    findBase: async () => undefined,
    findImageId: async () => undefined,
  });
  let deployed = { source: await sources.read('board'), tree: await readBase() };
  async function readBase() {
    return readLiveBase(deps, await sources.read('board'), image, store);
  }
  return {
    root,
    write,
    /** Makes the current source that of the image. */
    async deploy() {
      deployed = { source: await sources.read('board'), tree: await readBase() };
    },
    async read() {
      const source = await sources.read('board');
      const changed = listSaved(deployed.source, source);
      const found = await readLiveSource(deps, { source, changed, base: deployed.tree });
      return found && { ...found, different: await readDifferent(deployed.tree, found.tree) };
    },
  };
}

/** What goes into a container, by path. */
async function readDifferent(base: LiveTree, tree: LiveTree) {
  const different: Record<string, string> = {};
  for (const path of listDifferent(base, tree)) {
    const entry = tree.get(path);
    if (entry?.kind === 'file') {
      different[path] = `${entry.mode.toString(8)} ${Buffer.from((await entry.read()) ?? []).toString()}`;
    } else if (entry?.kind === 'folder') different[path] = `folder ${entry.mode.toString(8)}`;
    else different[path] = entry ? `-> ${entry.target}` : 'removed';
  }
  return different;
}

const web = { from: 'app/web', to: '/srv/web', build: 'source' as const };

describe('the live files of a service with a Dockerfile', () => {
  const live = [
    web,
    { from: 'app/conf', to: '/etc/board', build: 'source' as const, then: 'restart' as const },
    { from: 'services/board', to: '/app', build: 'stand-in' as const },
  ];

  test('are those that differ from the image, by their paths in the container', async () => {
    const { root, write, read, deploy } = await makeWorld(live);
    await write('app/web/same.js', 'same');
    await deploy();
    await write('app/web/deep/a.js', 'one');
    await write('app/conf/run.sh', 'two');
    await chmod(join(root, 'app/web/deep'), 0o750);
    await chmod(join(root, 'app/web/deep/a.js'), 0o640);
    await chmod(join(root, 'app/conf/run.sh'), 0o755);
    expect(await read()).toMatchObject({
      folders: [{ to: '/srv/web' }, { to: '/etc/board', then: 'restart' }],
      program: undefined,
      different: {
        ...{ '/srv/web/deep': 'folder 750', '/srv/web/deep/a.js': '640 one', '/etc/board/run.sh': '755 two' },
      },
    });
  });

  test('are all of them, whichever was saved last', async () => {
    const { write, read, deploy } = await makeWorld(live);
    await write('app/web/a.js', 'one');
    await deploy();
    await write('app/web/a.js', 'two!');
    await read();
    await write('app/web/b.js', 'two');
    expect(Object.keys((await read())?.different ?? {})).toEqual(['/srv/web/a.js', '/srv/web/b.js']);
  });

  test('may be removed, renamed, linked, be folders, and have any name', async () => {
    const { root, write, read, deploy } = await makeWorld(live);
    const at = (path: string) => join(root, 'app/web', path);
    await write('app/web/old/a.js', 'a');
    await write('app/web/Case.js', 'case');
    await write('app/web/mode.sh', 'mode');
    await symlink('mode.sh', at('link'));
    await deploy();
    await rename(at('old'), at('new name'));
    await rename(at('Case.js'), at('case.js'));
    await chmod(at('mode.sh'), 0o755);
    await rm(at('link'));
    await symlink('case.js', at('link'));
    await mkdir(at('빈 폴더'));
    await write('app/web/-x', 'dash');
    for (const folder of ['new name', '빈 폴더']) await chmod(at(folder), 0o755);
    for (const file of ['new name/a.js', 'case.js', '-x']) await chmod(at(file), 0o644);
    expect((await read())?.different).toEqual({
      ...{ '/srv/web/old': 'removed', '/srv/web/old/a.js': 'removed', '/srv/web/Case.js': 'removed' },
      ...{ '/srv/web/new name': 'folder 755', '/srv/web/new name/a.js': '644 a' },
      ...{ '/srv/web/case.js': '644 case', '/srv/web/mode.sh': '755 mode', '/srv/web/link': '-> case.js' },
      ...{ '/srv/web/빈 폴더': 'folder 755', '/srv/web/-x': '644 dash' },
    });
  });

  test.each([
    ['when something else has changed with it', ['app/web/a.js', 'main.py']],
    ['for a folder whose name only begins so', ['app/web-2/a.js']],
    ['for what is live of the stand-in', ['services/board/main.ts']],
  ])('are undefined %s: an image is needed', async (_, changed) => {
    const { write, read } = await makeWorld(live);
    for (const path of changed) await write(path, 'changed now');
    expect(await read()).toBeUndefined();
  });

  test('are undefined when too many have changed', async () => {
    const { root, write, read, deploy } = await makeWorld(live);
    await write('app/web/0.js', '');
    await deploy();
    const names = Array.from({ length: 201 }, (_, at) => `app/web/${at}.js`);
    await Promise.all(names.slice(1).map((name) => writeFile(join(root, name), '')));
    expect(Object.keys((await read())?.different ?? {})).toHaveLength(200);
    await write('app/web/0.js', 'one more');
    expect(await read()).toBeUndefined();
  });

  test('are undefined where no folder is live', async () => {
    const { write, read } = await makeWorld([]);
    await write('app/web/a.js', 'one');
    expect(await read()).toBeUndefined();
  });
});

describe('the live files of a stand-in', () => {
  const live = [{ from: 'services/board', to: '/app', build: 'stand-in' as const }, web];

  test('are all its files, compiled, whichever was changed', async () => {
    const { read, write } = await makeWorld(live, { hasDockerfile: false });
    await write('services/board/public/b.html', 'new page');
    const source = await read();
    expect(source).toMatchObject({ folders: [{ to: '/app' }], program: '/app/main.js' });
    const { '/app/main.js': main = '', ...others } = source?.different ?? {};
    expect(Object.keys(others)).toEqual(['/app/main.js.map', '/app/public/a.html', '/app/public/b.html']);
    expect(main).toMatch(/^644 [\s\S]*"[0-9a-f]{12}"/);
  });

  test('lack a removed file', async () => {
    const { root, read } = await makeWorld(live, { hasDockerfile: false });
    await rm(join(root, 'services/board/public/a.html'));
    expect([...((await read())?.tree.keys() ?? [])].sort()).toEqual(['/app/main.js', '/app/main.js.map']);
  });

  test('are undefined for a change of a shared file', async () => {
    const { read, write } = await makeWorld(live, { hasDockerfile: false });
    await write('services/common/run.ts', '// changed');
    expect(await read()).toBeUndefined();
  });

  test('are a failure with its location when they do not compile', async () => {
    const { read, write } = await makeWorld(live, { hasDockerfile: false });
    await write('services/board/main.ts', 'const const;\n');
    await expect(read()).rejects.toMatchObject({
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
  expect(await readDifferent(new Map(), contents)).toEqual({
    '/app/main.js': '644 main',
    '/app/public/a.html': '644 page',
  });
  expect(await readTopLayer(store, { config: '{}', layers: [] })).toEqual(new Map());
});
