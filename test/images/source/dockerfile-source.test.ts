import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/schema.ts';
import {
  findDockerfile,
  readContext,
  readGitIgnored,
  readIgnored,
} from '../../../src/images/source/dockerfile-source.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

type Files = Readonly<Record<string, string>>;

/** A checkout of weAlist with a Dockerfile, whose files `change` writes and whose context `hash` hashes. */
async function makeContext(files: Files = {}, { context = '.' } = {}) {
  const root = await makeTemporaryFolder();
  const change = async (changed: Files) => {
    for (const [path, content] of Object.entries(changed)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
  };
  await change({ 'docker/Dockerfile': 'FROM scratch', 'main.py': 'main', ...files });
  const hash = async () => (await readContext({ root, dockerfile: 'docker/Dockerfile', context })).hash;
  return { root, change, hash };
}

describe('the hash of a build context', () => {
  test.each<[string, Files]>([
    ['a file', { 'main.py': 'other' }],
    ['a new file', { 'deep/er/new.py': '' }],
    ['the Dockerfile', { 'docker/Dockerfile': 'FROM another' }],
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

  test('ignores dependencies, git and build output', async () => {
    const { root, change, hash } = await makeContext({ '.dockerignore': '!node_modules\n' });
    const before = await hash();
    await change({
      'node_modules/pg/index.js': '',
      'deep/node_modules/pg/index.js': '',
      '.git/index': '',
      '.gradle/cache.bin': '',
      'build/main.jar': '',
      'web/dist/index.html': '',
    });
    expect(await hash()).toBe(before);
    const isIgnored = await readIgnored({ root, dockerfile: 'docker/Dockerfile', context: '.' });
    expect(['deep/node_modules/pg/index.js', 'rebuild/a'].map(isIgnored)).toEqual([true, false]);
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
    await change({ 'docker/Dockerfile': 'FROM another' });
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
  const { root } = await makeContext({ '.dockerignore': rules.join('\n') });
  const isIgnored = await readIgnored({ root, dockerfile: 'docker/Dockerfile', context: '.' });
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

test('git ignores generated files in every folder', async () => {
  const { root } = await makeContext({ '.gitignore': '__pycache__\n/out\n' });
  const isIgnored = await readGitIgnored({ root, dockerfile: 'docker/Dockerfile', context: '.' });
  const paths = ['deep/__pycache__/a.pyc', 'out/a', 'deep/out/a', 'main.py'];
  expect(paths.filter(isIgnored)).toEqual(['deep/__pycache__/a.pyc', 'out/a']);
});

describe('the Dockerfile of a service', () => {
  type Service = Environment['services'][string];

  async function find(service: Partial<Service>, source?: string) {
    const { root } = await makeContext();
    const board: Service = {
      ...{ port: 8000, needs: [], standIn: 'services/board', build: 'auto', live: [] },
      ...service,
    };
    const { source: _, ...rest } = environment;
    const wanted = { ...rest, ...(source === undefined ? {} : { source: root }), services: { board } };
    const found = await findDockerfile(wanted, 'board', '/somewhere');
    return { root, found };
  }

  test('is the one that the environment names', async () => {
    const { root, found } = await find({ dockerfile: 'docker/Dockerfile', context: 'docker' }, 'here');
    expect(found).toEqual({ root, dockerfile: 'docker/Dockerfile', context: 'docker' });
  });

  test.each<[string, Partial<Service>, string?]>([
    ['without a source', { dockerfile: 'docker/Dockerfile' }],
    ['that shall be its stand-in', { dockerfile: 'docker/Dockerfile', build: 'stand-in' }, 'here'],
    ['whose Dockerfile does not exist', { dockerfile: 'other/Dockerfile' }, 'here'],
    ['whose Dockerfile is a folder', { dockerfile: 'docker' }, 'here'],
    ['that names none', {}, 'here'],
  ])('is none for one %s', async (_, service, source) => {
    expect((await find(service, source)).found).toBeUndefined();
  });

  test('must exist when the environment requires it', async () => {
    await expect(find({ dockerfile: 'other/Dockerfile', build: 'source' }, 'here')).rejects.toMatchObject({
      message: expect.stringMatching(/^services\.board has no Dockerfile at \/.*\/other\/Dockerfile$/),
      exitCode: 2,
    });
  });
});
