import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { pushCommit } from '../../src/steps/push-commit.ts';
import { exec } from '../../src/tools/exec.ts';
import { createGit } from '../../src/tools/git.ts';
import { createGitServer } from '../../src/tools/git-server.ts';
import { createGitPod } from '../fakes/git-pod.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();

async function makeWorld() {
  const [checkout, pod] = await Promise.all([makeTemporaryFolder(), makeTemporaryFolder()]);
  const lines: string[] = [];
  const run = { signal, report: (line: string) => void lines.push(line) };
  const server = createGitServer(await createGitPod(pod), 'argocd');
  const step = pushCommit({ git: createGit(exec, checkout), server });
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
  const git = async (...args: string[]) =>
    (await exec('git', [...identity, ...args], { cwd: checkout })).stdout;
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await writeFile(join(checkout, path), content);
  };
  const commit = async (message: string) => {
    await git('add', '--all');
    await git('commit', '--quiet', `--message=${message}`);
    return (await git('rev-parse', 'HEAD')).trim();
  };
  const served = async (...args: string[]) => {
    return (await exec('git', ['--git-dir', join(pod, 'wealist.git'), ...args])).stdout;
  };
  await git('init', '--quiet');
  return { checkout, pod, step, run, git, write, commit, served, server, lines };
}

test('only committed files are served', async () => {
  const { checkout, write, commit, step, run, served, lines } = await makeWorld();
  await write('helm/charts/a/values.yaml', 'a: 1\n');
  await write('argocd/apps/a.yaml', 'kind: Application\n');
  await write('src/main.ts', 'secret();\n');
  await symlink('../a/values.yaml', join(checkout, 'helm/charts/link'));
  const hash = await commit('The first "one"\n\nAnd more.');
  await write('helm/charts/a/values.yaml', 'a: not committed\n');

  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(lines).toEqual([`sending ${hash.slice(0, 7)} The first "one"`]);
  expect((await served('ls-tree', '-r', '--name-only', 'main')).trim().split('\n')).toEqual([
    'argocd/apps/a.yaml',
    'helm/charts/a/values.yaml',
    'helm/charts/link',
  ]);
  expect(await served('show', 'main:helm/charts/a/values.yaml')).toBe('a: 1');
  expect(await served('log', '--format=%an|%s|%b', 'main')).toBe(
    `wealist-local|The first "one"|From ${hash}\n`,
  );
  expect(await step.isDone?.(run)).toBe(`as of ${hash.slice(0, 7)}`);
});

test('a new commit follows the previous one; a commit of other folders is ignored', async () => {
  const { write, commit, step, run, served, server } = await makeWorld();
  await write('helm/a', '1');
  await write('argocd/a', '1');
  await commit('first');
  await step.apply(run);
  const first = await server.findHead(signal);

  await write('README.md', 'words');
  const other = await commit('words');
  expect(await step.isDone?.(run)).toBe(`as of ${other.slice(0, 7)}`);

  await write('helm/a', '2');
  await commit('second');
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect((await served('log', '--format=%s', 'main')).split('\n')).toEqual(['second', 'first']);
  expect((await served('rev-parse', 'main~')).trim()).toBe(first);
});

test('nothing is left beside the checkout', async () => {
  const { write, commit, step, run, git } = await makeWorld();
  await write('helm/a', '1');
  await write('argocd/a', '1');
  await commit('first');
  const packs = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('wealist-pack-'));
  const before = await packs();
  await step.apply(run);
  expect(await packs()).toEqual(before);
  expect(await git('status', '--porcelain')).toBe('');
});

test('a checkout without a commit is refused, with the command to commit', async () => {
  const { step, run, write, commit } = await makeWorld();
  await expect(async () => step.isDone?.(run)).rejects.toMatchObject({
    message: 'this checkout has no commit with argocd/ and helm/',
    exitCode: 2,
    hint: expect.stringContaining('git commit'),
  });
  await write('helm/a', '1');
  await commit('without argocd');
  await expect(step.apply(run)).rejects.toMatchObject({ exitCode: 2 });
});
