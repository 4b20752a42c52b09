import { describe, expect, test } from 'vitest';
import type { LiveSource } from '../../src/images/source/live-source.ts';
import type { LiveEntry } from '../../src/images/source/live-tree.ts';
import { CommandFailure } from '../../src/lib/failure.ts';
import { hashContent } from '../../src/lib/hash.ts';
import { type LiveState, putLiveFiles } from '../../src/steps/put-live-files.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';
import {
  createReloadedService,
  type ReloadedService,
  type ReloadedServiceOptions,
} from '../fakes/reloaded-service.ts';

type Files = Readonly<Record<string, string>>;

const toTree = (files: Files): ReadonlyMap<string, LiveEntry> =>
  new Map(Object.entries(files).map(([path, content]) => [path, toEntry(content)]));

/** `/`: a folder. `-> target`: a link. `0o640 text`: a file with this mode. */
function toEntry(content: string): LiveEntry {
  if (content === '/') return { kind: 'folder', mode: 0o755 };
  const [, target] = /^-> (.*)$/.exec(content) ?? [];
  if (target !== undefined) return { kind: 'link', target };
  const [, mode = '644'] = /^0o(\d+) /.exec(content) ?? [];
  const bytes = Buffer.from(content);
  return {
    kind: 'file',
    mode: Number.parseInt(mode, 8),
    version: hashContent(bytes),
    read: async () => (content === 'gone' ? undefined : bytes),
  };
}

const toHash = (content: string) => hashContent(Buffer.from(content));

/** Files of the stand-in's image. */
const inImage: Files = { '/app/main.js': 'one', '/app/main.js.map': 'map', '/app/public/a.html': 'page' };

interface UpdateOptions extends ReloadedServiceOptions {
  readonly base?: Files;
  readonly source?: Partial<LiveSource>;
}

/** A stand-in, and a function that puts all files of its bundle. */
function makeUpdates({ base = inImage, source = {}, ...options }: UpdateOptions = {}) {
  const service = createReloadedService(options);
  const state: LiveState = {
    image: 'wealist.local/board:1',
    base: toTree(base),
    containers: new Map(),
  };
  const output: string[] = [];
  const end = new AbortController();
  const run = { signal: end.signal, report: () => {} };
  const update = (files: Files, signal = run.signal) =>
    putLiveFiles(
      {
        ...{ api: service.api, nodes: service.nodes, place: service.place, port: 8080 },
        onOutput: (line) => output.push(line),
      },
      state,
      {
        tree: toTree(files),
        folders: [{ to: '/app' }],
        program: '/app/main.js',
        sourceHash: 'of the source',
        ...source,
      },
      { ...run, signal },
    );
  return { service, update, end, output };
}

const containerOf = (service: ReloadedService, name = 'board-a') =>
  service.pods().find((pod) => pod.name === name)?.containerID;

describe('puts into a running container', () => {
  test('only what differs from its image, the program last', async () => {
    const { service, update } = makeUpdates();
    const files = { '/app/main.js': 'two', '/app/main.js.map': 'map', '/app/public/a.html': 'new page' };
    expect(await update(files)).toMatchObject({ changed: 1, files: 2 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'two', 'public/a.html': 'new page' });
    expect(service.puts).toEqual([['public/a.html', 'main.js']]);
    expect(service.mark('board-a')).toEqual({
      ...{ files: 2, sourceHash: 'of the source' },
      containerID: containerOf(service),
    });
  });

  test('the next time what differs from the previous update', async () => {
    const { service, update } = makeUpdates();
    await update({ ...inImage, '/app/main.js': 'two', '/app/public/a.html': 'new page' });
    expect(
      await update({ ...inImage, '/app/main.js': 'three', '/app/public/a.html': 'new page' }),
    ).toMatchObject({
      ...{ changed: 1, files: 2 },
    });
    expect(service.puts.at(-1)).toEqual(['main.js']);
  });

  test('nothing when nothing has changed', async () => {
    const { service, update } = makeUpdates();
    await update({ ...inImage, '/app/main.js': 'two' });
    expect(await update({ ...inImage, '/app/main.js': 'two' })).toMatchObject({ changed: 0, files: 1 });
    expect(service.puts).toHaveLength(1);
  });

  test('a file that is changed back, after which no file overrides the image', async () => {
    const { service, update } = makeUpdates();
    await update({ ...inImage, '/app/main.js': 'two' });
    expect(await update(inImage)).toMatchObject({ changed: 1, files: 0 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'one' });
    expect(service.mark('board-a')).toBeUndefined();
  });

  test('everything again after the container was restarted', async () => {
    const { service, update } = makeUpdates();
    const files = { ...inImage, '/app/main.js': 'two', '/app/public/a.html': 'new page' };
    await update(files);
    service.restart('board-a');
    expect(service.filesIn('board-a')).toEqual({});
    expect(await update(files)).toMatchObject({ changed: 1, files: 2 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'two', 'public/a.html': 'new page' });
    expect(service.mark('board-a')).toMatchObject({ containerID: containerOf(service) });
  });

  test('the same files in every pod of the service', async () => {
    const { service, update } = makeUpdates({ pods: ['board-a', 'board-b'] });
    await update({ ...inImage, '/app/main.js': 'two' });
    for (const pod of ['board-a', 'board-b']) {
      expect(service.filesIn(pod)).toEqual({ 'main.js': 'two' });
      expect(service.mark(pod)).toMatchObject({ files: 1, containerID: containerOf(service, pod) });
    }
  });

  test('each file into the volume of its folder, and nothing into other folders', async () => {
    const folders = ['/app', '/app-data', '/etc/board'];
    const { service, update } = makeUpdates({
      ...{ base: {}, volumes: folders },
      source: { folders: folders.map((to) => ({ to })), program: undefined },
    });
    await update({ '/app/a/b.py': 'code', '/app-data/c.ini': 'settings' });
    expect(service.filesIn('board-a', '/app')).toEqual({ 'a/b.py': 'code' });
    expect(service.filesIn('board-a', '/app-data')).toEqual({ 'c.ini': 'settings' });
    expect(service.puts).toHaveLength(2);
  });
});

describe('a program that is not a stand-in', () => {
  const foreign = { base: {}, source: { program: undefined } };

  test('is not asked what it has loaded', async () => {
    const { service, update } = makeUpdates(foreign);
    expect(await update({ '/app/main.py': 'two' })).toMatchObject({ changed: 1, files: 1 });
    expect(service.requests.filter((path) => path.includes('proxy'))).toEqual([]);
  });

  test('has what its source has: more files, other ones, and none that were removed', async () => {
    const { service, update } = makeUpdates(foreign);
    await update({ '/app/a.py': 'one' });
    expect(await update({ '/app/a.py': 'one', '/app/b.py': 'two' })).toMatchObject({ changed: 1, files: 2 });
    expect(service.puts.at(-1)).toEqual(['b.py']);
    expect(await update({ '/app/b.py': 'two' })).toMatchObject({ changed: 1, files: 1 });
    expect(service.filesIn('board-a')).toEqual({ 'a.py': 'removed', 'b.py': 'two' });
  });

  test('of any kind: folders first, what is gone last', async () => {
    const { service, update } = makeUpdates({
      source: { program: undefined },
      base: { '/app/old/a b.txt': 'one', '/app/old': '/', '/app/run.sh': '0o644 run', '/app/Ab': 'x' },
    });
    await update({
      ...{
        '/app/새 폴더/-x': 'two',
        '/app/새 폴더': '/',
        '/app/빈': '/',
        '/app/link': '-> -x',
        '/app/ab': 'x',
      },
      '/app/run.sh': '0o755 run',
    });
    expect(service.filesIn('board-a')).toEqual({
      ...{ '새 폴더': 'folder:755', 빈: 'folder:755', '새 폴더/-x': 'two', link: '-> -x', ab: 'x' },
      ...{ 'run.sh': '0o755 run', Ab: 'removed', old: 'removed', 'old/a b.txt': 'removed' },
    });
    expect(service.puts.flat().slice(-3)).toEqual(['old/a b.txt', 'old', 'Ab']);
    // Folders are not counted.
    expect(service.mark('board-a')).toMatchObject({ files: 6 });
  });

  test('is not called current while a file could not be read', async () => {
    const { service, update } = makeUpdates(foreign);
    await update({ '/app/a.py': 'one', '/app/b.py': 'gone' });
    expect(service.filesIn('board-a')).toEqual({ 'a.py': 'one' });
    expect(service.mark('board-a')).toMatchObject({ sourceHash: '' });
  });

  test('gets all of it in each container that has started since, and the others nothing', async () => {
    const { service, update } = makeUpdates({ ...foreign, pods: ['board-a', 'board-b'] });
    const files = { '/app/a.py': 'one', '/app/b.py': 'two' };
    await update(files);
    service.restart('board-b');
    expect(await update(files)).toEqual({ changed: 1, files: 2, started: ['board-b'], waiting: 0 });
    expect(service.filesIn('board-b')).toEqual({ 'a.py': 'one', 'b.py': 'two' });
    service.scale(3);
    expect(await update(files)).toMatchObject({ changed: 1, started: ['board-2'] });
    expect(service.filesIn('board-2')).toEqual({ 'a.py': 'one', 'b.py': 'two' });
    expect(service.puts).toHaveLength(4);
  });

  test('whose container does not run gets it later', async () => {
    const { service, update } = makeUpdates(foreign);
    service.isRunning = false;
    expect(await update({ '/app/a.py': 'one' })).toEqual({ changed: 0, files: 1, started: [], waiting: 1 });
    expect(service.puts).toEqual([]);
    service.isRunning = true;
    expect(await update({ '/app/a.py': 'one' })).toMatchObject({ changed: 1, started: ['board-a'] });
  });

  test('whose container ends meanwhile is no failure', async () => {
    const { service, update } = makeUpdates(foreign);
    service.beforePut = async () => {
      service.restart('board-a');
      throw new CommandFailure('no such folder', { argv: [], status: 1, stdout: '', stderr: '' });
    };
    expect(await update({ '/app/a.py': 'one' })).toMatchObject({ changed: 0, waiting: 1 });
  });
});

describe('what follows a change', () => {
  const exec = ['nginx', '-s', 'reload'];
  const makeWith = (...folders: LiveSource['folders']) =>
    makeUpdates({
      ...{ base: {}, volumes: folders.map(({ to }) => to) },
      source: { program: undefined, folders },
    });

  test('is the command of the folder that has changed, once, in each container', async () => {
    const { service, update, output } = makeWith(
      { to: '/app', then: { exec } },
      { to: '/etc/app', then: { exec } },
      { to: '/other', then: { exec: ['not', 'this'] } },
    );
    service.exec = async (_, onLine) => onLine('signal process started');
    await update({ '/app/a': 'one', '/etc/app/b': 'two' });
    expect(service.commands).toEqual([exec]);
    expect(output).toEqual(['signal process started']);
    expect(service.mark('board-a')).toMatchObject({ sourceHash: 'of the source' });
    service.restart('board-a');
    await update({ '/app/a': 'one', '/etc/app/b': 'two' });
    expect(service.commands).toEqual([exec, exec]);
    expect(service.restarts).toEqual([]);
  });

  test('is tried again with the next save where it has failed, and the source is not called current', async () => {
    const { service, update } = makeWith({ to: '/app', then: { exec } }, { to: '/other' });
    service.exec = async () => {
      throw new CommandFailure('docker', { argv: [], status: 3, stdout: '', stderr: 'unknown directive' });
    };
    await expect(update({ '/app/a': 'one' })).rejects.toMatchObject({
      message: 'board: nginx -s reload failed in pod board-a: exit code 3',
      cause: 'unknown directive',
      exitCode: 7,
    });
    expect(service.filesIn('board-a')).toEqual({ a: 'one' });
    expect(service.mark('board-a')).toMatchObject({ files: 1, sourceHash: '' });
    service.exec = async () => {};
    await update({ '/app/a': 'one', '/other/b': 'two' });
    expect(service.commands).toEqual([exec, exec]);
    expect(service.mark('board-a')).toMatchObject({ files: 2, sourceHash: 'of the source' });
  });

  test('is a restart of the program after all commands, or an image', async () => {
    const { service, update } = makeWith({ to: '/app', then: 'restart' }, { to: '/etc/app', then: { exec } });
    service.exec = async () => expect(service.restarts).toEqual([]);
    expect(await update({ '/app/a': 'one', '/etc/app/b': 'two' })).toMatchObject({ changed: 1 });
    expect([service.commands, service.restarts]).toEqual([[exec], ['run-1']]);
    service.isRestartable = false;
    expect(await update({ '/app/a': 'two', '/etc/app/b': 'two' })).toBe('image');
  });
});

describe('a new image is needed when', () => {
  const changed = { ...inImage, '/app/main.js': 'two' };

  test.each<[string, string, (service: ReloadedService) => void]>([
    ['the pods run another image', 'image', (service) => service.setImage('wealist.local/board:2')],
    ['a rollout is under way', 'rollout', (service) => Object.assign(service, { old: 1 })],
    ['no pod is wanted', 'no-pods', (service) => service.scale(0)],
  ])('%s', async (_, outcome, change) => {
    const { service, update } = makeUpdates();
    change(service);
    expect(await update(changed)).toBe(outcome);
    expect(service.puts).toEqual([]);
  });

  test("the container's image was built without the volume", async () => {
    const { service, update } = makeUpdates({ volumes: [] });
    expect(await update(changed)).toBe('image');
    expect(service.puts).toEqual([]);
    expect(service.mark('board-a')).toBeUndefined();
  });

  test('only a new process can run the program', async () => {
    const { service, update } = makeUpdates();
    service.say = (content) => ({ program: toHash(content), refused: 'other needs', startsAnew: true });
    expect(await update(changed)).toBe('image');
  });

  test('this is so for one pod of several', async () => {
    const { service, update } = makeUpdates({ pods: ['board-a', 'board-b'] });
    const program = (content: string) => ({ program: toHash(content), refused: 'no', startsAnew: true });
    let questions = 0;
    service.say = (content) => {
      questions += 1;
      return questions === 2 ? program(content) : { program: toHash(content) };
    };
    expect(await update(changed)).toBe('image');
  });
});

describe('the program', () => {
  test('is waited for until it has loaded the new file', async () => {
    const { service, update } = makeUpdates();
    let questions = 0;
    service.say = (content) => {
      questions += 1;
      // Busy at first; then it still reports the previous file, which it had refused.
      if (questions === 1) return new ApiFailure('no answer', { status: 503 });
      if (questions < 4) return { program: toHash('one'), refused: 'of before' };
      return { program: toHash(content) };
    };
    expect(await update({ ...inImage, '/app/main.js': 'two' })).toMatchObject({ changed: 1, files: 1 });
    expect(questions).toBe(4);
  });

  test('that cannot load the saved files keeps running, and the reason is reported', async () => {
    const { service, update } = makeUpdates();
    service.say = (content) => ({ program: toHash(content), refused: 'x is not defined' });
    await expect(update({ ...inImage, '/app/main.js': 'two' })).rejects.toMatchObject({
      message: 'board cannot load the saved files and keeps running the previous ones',
      cause: 'x is not defined',
      exitCode: 7,
    });
    service.say = (content) => ({ program: toHash(content) });
    expect(await update({ ...inImage, '/app/main.js': 'three' })).toMatchObject({ changed: 1, files: 1 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'three' });
  });

  test('is no longer waited for when the next save comes', async () => {
    const { service, update } = makeUpdates();
    const next = new AbortController();
    service.say = () => {
      next.abort(new Error('saved again'));
      return { program: '' };
    };
    await expect(update({ ...inImage, '/app/main.js': 'two' }, next.signal)).rejects.toThrow();
    expect(next.signal.aborted).toBe(true);
  });
});

describe('an interrupted put', () => {
  const brokenOff = new CommandFailure('docker exec', {
    argv: [],
    status: 137,
    stdout: '',
    stderr: 'killed',
  });

  test('fails', async () => {
    const { service, update } = makeUpdates();
    service.beforePut = () => Promise.reject(brokenOff);
    await expect(update({ ...inImage, '/app/main.js': 'two' })).rejects.toBe(brokenOff);
  });

  test('leaves its files unknown: one that is changed back meanwhile is put again', async () => {
    const { service, update } = makeUpdates();
    // The node completes the put, and only its response is lost.
    service.afterPut = () => Promise.reject(brokenOff);
    await expect(update({ ...inImage, '/app/main.js': 'two' })).rejects.toBe(brokenOff);
    service.afterPut = async () => {};
    expect(await update(inImage)).toMatchObject({ changed: 1, files: 0 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'one' });
  });

  test('has annotated the pod before, so that it does not count as running its image', async () => {
    const { service, update } = makeUpdates();
    const marks: unknown[] = [];
    service.beforePut = async () => void marks.push(service.mark('board-a'));
    service.afterPut = () => Promise.reject(brokenOff);
    await expect(update({ ...inImage, '/app/main.js': 'two' })).rejects.toBe(brokenOff);
    expect(marks).toEqual([expect.objectContaining({ containerID: containerOf(service), files: 1 })]);
    expect(service.mark('board-a')).not.toMatchObject({ sourceHash: 'of the source' });
  });
});
