import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCopiedPaths } from '../../../src/images/source/copied-paths.ts';
import type { DockerfileSource } from '../../../src/images/source/dockerfile-source.ts';
import { readContext } from '../../../src/images/source/read-context.ts';
import { listSaved } from '../../../src/images/source/source-state.ts';
import { parseIgnoreRules } from '../../../src/lib/ignore-rules.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

type Files = Readonly<Record<string, string>>;

/** A checkout of weAlist with a Dockerfile, whose files `change` writes and whose source `hash` hashes. */
async function makeContext(
  files: Files = {},
  {
    context = '.',
    live = [],
    settings = {},
  }: Partial<Pick<DockerfileSource, 'context' | 'live' | 'settings'>> = {},
) {
  const root = await makeTemporaryFolder();
  const change = async (changed: Files) => {
    for (const [path, content] of Object.entries(changed)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
  };
  await change({ 'docker/Dockerfile': 'FROM scratch\nCOPY . .\n', 'main.py': 'main', ...files });
  const read = () =>
    readContext(
      { root, dockerfile: 'docker/Dockerfile', context, live, settings },
      { architecture: 'amd64' },
    );
  const hash = async () => (await read()).hash;
  /** Which of these paths change the source when they are written. */
  const listSeen = async (paths: readonly string[]) => {
    const seen: string[] = [];
    for (const path of paths) {
      const before = await hash();
      await change({ [path]: `written at ${performance.now()}` });
      if ((await hash()) !== before) seen.push(path);
    }
    return seen;
  };
  /** Those whose change is a save, relative to the root. */
  const listSaves = async (paths: readonly string[]) => {
    const before = await read();
    await change(Object.fromEntries(paths.map((path) => [path, `written at ${performance.now()}`])));
    return listSaved(before, await read()).map((path) => relative(root, path));
  };
  return { root, change, read, hash, listSeen, listSaves };
}

describe('the hash of a build context', () => {
  test.each<[string, Files]>([
    ['a file', { 'main.py': 'other' }],
    ['a new file', { 'deep/er/new.py': '' }],
    ['the Dockerfile', { 'docker/Dockerfile': 'FROM another\nCOPY . .\n' }],
  ])('changes with %s', async (_, files) => {
    const { change, hash } = await makeContext();
    const before = await hash();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash()).toBe(before);
    await change(files);
    expect(await hash()).not.toBe(before);
  });

  test('changes when a file is removed or renamed', async () => {
    const { root, hash } = await makeContext({ 'a.py': 'a', 'b.py': 'b' });
    const hashes = [await hash()];
    await rename(join(root, 'a.py'), join(root, 'aa.py'));
    hashes.push(await hash());
    await rm(join(root, 'aa.py'));
    hashes.push(await hash());
    expect(new Set(hashes).size).toBe(3);
  });

  test('changes when a file becomes executable, or a link gets another target', async () => {
    const { root, hash } = await makeContext({ 'start.sh': 'exec main' });
    const hashes = [await hash()];
    await chmod(join(root, 'start.sh'), 0o755);
    hashes.push(await hash());
    // The content behind the links is the same, or does not exist.
    for (const name of ['one.py', 'two.py']) {
      await writeFile(join(root, name), 'same');
      await utimes(join(root, name), 1, 1);
    }
    for (const target of ['one.py', 'two.py', 'nowhere', 'elsewhere']) {
      await symlink(target, join(root, 'link'));
      hashes.push(await hash());
      await rm(join(root, 'link'));
    }
    expect(new Set(hashes).size).toBe(6);
  });

  test('does not fail while files and folders are added and removed', async () => {
    const { root, hash } = await makeContext();
    let isOver = false;
    const comeAndGo = async () => {
      while (!isOver) {
        mkdirSync(join(root, 'deep/er'), { recursive: true });
        for (let at = 0; at < 50; at += 1) writeFileSync(join(root, 'deep/er', String(at)), '');
        await rm(join(root, 'deep'), { recursive: true });
      }
    };
    const busy = comeAndGo();
    try {
      for (let round = 0; round < 50; round += 1) expect(await hash()).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      isOver = true;
      await busy;
    }
  });

  test('fails for a folder or a Dockerfile that does not exist', async () => {
    const { root, hash } = await makeContext({}, { context: 'services/board' });
    await expect(hash()).rejects.toMatchObject({
      message: `${join(root, 'services/board')} cannot be read`,
      exitCode: 7,
    });
    await mkdir(join(root, 'services/board'), { recursive: true });
    await rm(join(root, 'docker/Dockerfile'));
    await expect(hash()).rejects.toMatchObject({
      message: `${join(root, 'docker/Dockerfile')} cannot be read`,
      exitCode: 7,
    });
  });

  test.each([
    ['its own folder', '.', '.dockerignore'],
    ['its own folder, below that of the checkout', 'services/board', 'services/board/.dockerignore'],
    ['the Dockerfile, beside it', '.', 'docker/Dockerfile.dockerignore'],
  ])('ignores the files of .dockerignore, for %s', async (_, context, place) => {
    const below = (path: string) => join(context, path);
    const rules = '*.log\ndocs\n**/*.tmp\ndata/**\n!data/schema.sql\n';
    const { change, hash } = await makeContext({ [place]: rules, [below('main.py')]: 'main' }, { context });
    const before = await hash();
    await change({
      [below('a.log')]: 'line',
      [below('docs/index.md')]: 'words',
      [below('deep/er/a.tmp')]: '',
      [below('data/rows.csv')]: '1,2',
    });
    expect(await hash()).toBe(before);
    for (const path of ['deep/a.log', 'data/schema.sql', 'docs.md']) {
      const known = await hash();
      await change({ [below(path)]: 'seen' });
      expect({ path, isSeen: (await hash()) !== known }).toEqual({ path, isSeen: true });
    }
  });

  test('uses only the ignore file beside the Dockerfile, if one exists', async () => {
    const { change, hash } = await makeContext({
      '.dockerignore': '*.py\n',
      'docker/Dockerfile.dockerignore': '*.log\n',
    });
    const before = await hash();
    await change({ 'a.log': '' });
    expect(await hash()).toBe(before);
    await change({ 'a.py': '' });
    expect(await hash()).not.toBe(before);
  });

  test('covers dist, build and node_modules, as the builder does, but not .git', async () => {
    const { listSeen } = await makeContext({ 'deep/a': '' });
    const paths = ['dist/index.html', 'build/libs/app.jar', '.gradle/a', 'node_modules/pg/index.js'];
    expect(await listSeen([...paths, '.git/index', 'deep/.git'])).toEqual(paths);
  });

  test.each<[string, string, readonly string[], readonly string[]]>([
    [
      'folders and files',
      'COPY services/board/ go.mod* /srv/\n',
      ['services/board/main.go', 'services/board/deep/a.go', 'go.mod', 'go.mod.local'],
      ['services/chat/main.go', 'services/board-2/main.go', 'README.md', 'deep/go.mod'],
    ],
    [
      'what is built elsewhere',
      'COPY build/libs/*.jar /app.jar\n',
      ['build/libs/a.jar'],
      ['build/libs/a.txt'],
    ],
    ['.git by its name', 'COPY .git/HEAD main.py /\n', ['.git/HEAD', 'main.py'], ['.git/index']],
    [
      'nothing but the Dockerfile and the ignore file',
      'RUN true\n',
      ['docker/Dockerfile', '.dockerignore', 'docker/Dockerfile.dockerignore'],
      ['a'],
    ],
  ])('covers what the Dockerfile copies: %s', async (_, copy, seen, unseen) => {
    const { listSeen } = await makeContext({ 'docker/Dockerfile': `FROM scratch\n${copy}` });
    expect(await listSeen([...unseen, ...seen])).toEqual(seen);
  });

  test('covers the whole context when a name cannot be told, or another front end reads the file', async () => {
    const { listSeen, change } = await makeContext({
      'docker/Dockerfile': 'FROM golang\nCOPY $' + '{FOLDER} /srv/\n',
    });
    expect(await listSeen(['any'])).toEqual(['any']);
    await change({ 'docker/Dockerfile': '# syntax=example.com/own:1\nFROM scratch\n' });
    expect(await listSeen(['any'])).toEqual(['any']);
    await change({ 'docker/Dockerfile': '# syntax=docker/dockerfile:1.4\nFROM scratch\n' });
    expect(await listSeen(['any'])).toEqual([]);
  });

  test('follows links in the paths that are copied, within the context', async () => {
    const { root, listSeen } = await makeContext({
      'docker/Dockerfile': 'FROM scratch\nCOPY lib/shared one.txt /srv/\n',
      'packages/shared/a.py': 'a',
      'real.txt': 'one',
    });
    await symlink('/packages', join(root, 'lib'));
    await symlink('real.txt', join(root, 'one.txt'));
    expect(await listSeen(['packages/shared/a.py', 'real.txt', 'packages/other/b.py'])).toEqual([
      'packages/shared/a.py',
      'real.txt',
    ]);
  });

  test('covers live folders that ignore files name, but not what these name inside of others', async () => {
    const { listSeen, listSaves } = await makeContext(
      {
        'docker/Dockerfile': 'FROM scratch\nCOPY web/src /srv/\n',
        '.dockerignore': '**/dist\n**/*.log\n',
        '.gitignore': 'dist\nmade.json\n',
        'live/a.txt': '',
      },
      { live: ['web/dist', 'live'] },
    );
    const seen = ['web/dist/index.html', 'web/dist/made.json', 'live/a.txt', 'live/made.json'];
    expect(await listSeen(['web/other/a', 'live/a.log', ...seen])).toEqual(seen);
    expect((await listSaves(seen)).sort()).toEqual(seen.slice(0, 3).sort());
  });

  test.each([0o640, 0o644, 0o4755])('changes with the mode that COPY carries: %o', async (mode) => {
    const { root, hash, read } = await makeContext({ 'a.txt': 'a', 'deep/a.txt': 'a' });
    await chmod(join(root, 'a.txt'), 0o600);
    const before = await read();
    await chmod(join(root, 'a.txt'), mode);
    const after = await read();
    expect(listSaved(before, after)).toEqual([join(root, 'a.txt')]);
    await chmod(join(root, 'deep'), 0o711);
    expect(await hash()).not.toBe(after.hash);
  });

  test('never covers files that editors create for themselves', async () => {
    const { listSeen, root } = await makeContext({ 'live/a.txt': 'a' }, { live: ['live'] });
    const editors = ['.a.txt.swp', '.a.txt.swx', '4913', 'a.txt~', '#a.txt#', 'a.txt___jb_tmp___'];
    const others = ['.goutputstream-ABC123', '.a.kate-swp'];
    expect(await listSeen([...editors, ...others].flatMap((name) => [name, `live/${name}`]))).toEqual([]);
    await symlink('me@host.1', join(root, 'live/.#a.txt'));
    expect(await listSeen(['.env', 'live/.htaccess', 'a#b.txt'])).toEqual([
      '.env',
      'live/.htaccess',
      'a#b.txt',
    ]);
  });

  test('covers its folder only', async () => {
    const { change, hash } = await makeContext({ 'services/board/a.py': 'a' }, { context: 'services/board' });
    const before = await hash();
    await change({ 'main.py': 'other', 'services/board-2/a.py': '' });
    expect(await hash()).toBe(before);
    await change({ 'services/board/a.py': 'other' });
    const second = await hash();
    expect(second).not.toBe(before);
    // The Dockerfile may be anywhere.
    await change({ 'docker/Dockerfile': 'FROM another\nCOPY . .\n' });
    expect(await hash()).not.toBe(second);
  });

  test('includes one file of an ignored folder with a thousand files', async () => {
    const { root, change, hash } = await makeContext({ '.dockerignore': 'assets\n!assets/keep.txt\n' });
    mkdirSync(join(root, 'assets'));
    for (let at = 0; at < 1_000; at += 1) writeFileSync(join(root, `assets/${at}.png`), '');
    const before = await hash();
    await change({ 'assets/0.png': 'changed', 'assets/new.png': '' });
    expect(await hash()).toBe(before);
    await change({ 'assets/keep.txt': 'brought back' });
    expect(await hash()).not.toBe(before);
  });
});

test('of 50,000 paths exactly those that match the rules are ignored', async () => {
  const rules = ['# made', '**/*.png', 'docs/**', '!docs/README.md', '**/cache', 'data-?', '!**/0.png'];
  const copied = await readCopiedPaths(
    '/nowhere',
    ['.'],
    parseIgnoreRules(rules.join('\n'), { syntax: 'docker' }),
  );
  const isIgnored = (path: string) => !copied.has(path);
  const folders = ['docs', 'src', 'src/deep/cache', 'data-1', 'data-10'];
  const numbers = Array.from({ length: 5_000 }, (_, at) => at);
  const count = (paths: readonly string[]) => paths.filter(isIgnored).length;
  const left = folders.map((folder) => [
    count(numbers.map((at) => `${folder}/${at}.png`)),
    count(numbers.map((at) => `${folder}/${at}.py`)),
  ]);
  expect(left).toEqual([
    [4_999, 5_000],
    [4_999, 0],
    [4_999, 5_000],
    [4_999, 5_000],
    [4_999, 0],
  ]);
  expect(isIgnored('docs/README.md')).toBe(false);
});

describe('what git ignores', () => {
  test('is part of the source, and no save', async () => {
    const { listSaves, listSeen } = await makeContext({
      '.gitignore': '*.log\n/out\n',
      'deep/.gitignore': 'made.py\n!kept.log\n',
      '.git/info/exclude': 'notes.txt\n',
    });
    const ignored = ['app.log', 'out/a', 'deep/made.py', 'deep/er/made.py', 'notes.txt'];
    const others = ['deep/out/a', 'made.py', 'deep/kept.log'];
    expect((await listSaves([...ignored, ...others])).sort()).toEqual([...others].sort());
    expect(await listSeen(ignored)).toEqual(ignored);
  });

  test('is a save where the Dockerfile copies it by name', async () => {
    const { listSaves } = await makeContext({
      'docker/Dockerfile': 'FROM scratch\nCOPY . .\nCOPY web/dist libs/*.jar /srv/\n',
      '.gitignore': 'dist\n*.jar\n*.log\n',
    });
    const saves = ['web/dist/a.js', 'libs/a.jar'];
    expect((await listSaves([...saves, 'other/dist/a.js', 'app.log', 'deep/a.jar'])).sort()).toEqual(
      saves.sort(),
    );
  });
});

test('a watch skips folders that hold no source', async () => {
  const { root, read, change } = await makeContext(
    {
      'docker/Dockerfile': 'FROM scratch\nCOPY services/board /srv/\n',
      '.dockerignore': '**/node_modules\n**/dist\n',
    },
    { live: ['services/board/dist'] },
  );
  await change({
    'services/board/a.py': 'a',
    'services/board/node_modules/pg/a.js': '',
    'services/board/dist/a': '',
    'services/chat/a.py': '',
    'services/[id]/a.py': '',
    '.git/HEAD': '',
  });
  const [folder, ...others] = (await read()).folders;
  expect(others).toEqual([]);
  expect(folder?.skipped.map((path) => path.replace(`${root}/`, '')).sort()).toEqual(
    ['**/.git/**', '.git', 'services/board/node_modules', 'services/chat', 'docker'].sort(),
  );
  const paths = ['services/board/a.py', 'services/board/dist/new', 'services/chat/a.py', '.dockerignore'];
  expect(paths.filter((path) => folder?.isSource(path))).toEqual([paths[0], paths[1], paths[3]]);
});

test('a Dockerfile beside its context is watched, without the rest of its folder', async () => {
  const { root, read } = await makeContext({ 'services/board/a.py': 'a' }, { context: 'services/board' });
  const [context, dockerfile, ...others] = (await read()).folders;
  expect([context?.folder, dockerfile?.folder, others.length]).toEqual([
    join(root, 'services/board'),
    join(root, 'docker'),
    0,
  ]);
  expect(['Dockerfile', 'other', 'deep/Dockerfile'].filter((path) => dockerfile?.isSource(path))).toEqual([
    'Dockerfile',
  ]);
});
