import { describe, expect, test } from 'vitest';
import type { LiveSource } from '../../src/images/source/live-source.ts';
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
    base: new Map(Object.entries(base).map(([path, content]) => [path, toHash(content)])),
    containers: new Map(),
  };
  const end = new AbortController();
  const run = { signal: end.signal, report: () => {} };
  const update = (files: Files, signal = run.signal) =>
    putLiveFiles(
      { api: service.api, nodes: service.nodes, place: service.place, port: 8080 },
      state,
      {
        files: Object.entries(files).map(([path, content]) => ({
          ...{ path, mode: 0o644 },
          content: Buffer.from(content),
        })),
        folders: ['/app'],
        program: '/app/main.js',
        sourceHash: 'of the source',
        ...source,
      },
      { ...run, signal },
    );
  return { service, update, end };
}

const containerOf = (service: ReloadedService, name = 'board-a') =>
  service.pods().find((pod) => pod.name === name)?.containerID;

describe('puts into a running container', () => {
  test('only what differs from its image, the program last', async () => {
    const { service, update } = makeUpdates();
    const files = { '/app/main.js': 'two', '/app/main.js.map': 'map', '/app/public/a.html': 'new page' };
    expect(await update(files)).toEqual({ put: 2, files: 2 });
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
    expect(await update({ ...inImage, '/app/main.js': 'three', '/app/public/a.html': 'new page' })).toEqual({
      ...{ put: 1, files: 2 },
    });
    expect(service.puts.at(-1)).toEqual(['main.js']);
  });

  test('nothing when nothing has changed', async () => {
    const { service, update } = makeUpdates();
    await update({ ...inImage, '/app/main.js': 'two' });
    expect(await update({ ...inImage, '/app/main.js': 'two' })).toEqual({ put: 0, files: 1 });
    expect(service.puts).toHaveLength(1);
  });

  test('a file that is changed back, after which no file overrides the image', async () => {
    const { service, update } = makeUpdates();
    await update({ ...inImage, '/app/main.js': 'two' });
    expect(await update(inImage)).toEqual({ put: 1, files: 0 });
    expect(service.filesIn('board-a')).toEqual({ 'main.js': 'one' });
    expect(service.mark('board-a')).toBeUndefined();
  });

  test('everything again after the container was restarted', async () => {
    const { service, update } = makeUpdates();
    const files = { ...inImage, '/app/main.js': 'two', '/app/public/a.html': 'new page' };
    await update(files);
    service.restart('board-a');
    expect(service.filesIn('board-a')).toEqual({});
    expect(await update(files)).toEqual({ put: 2, files: 2 });
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
      source: { folders, program: undefined },
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
    expect(await update({ '/app/main.py': 'two' })).toEqual({ put: 1, files: 1 });
    expect(service.requests.filter((path) => path.includes('proxy'))).toEqual([]);
  });

  test('gets only the files that were saved last', async () => {
    const { service, update } = makeUpdates(foreign);
    await update({ '/app/a.py': 'one' });
    expect(await update({ '/app/b.py': 'two' })).toEqual({ put: 1, files: 2 });
    expect(service.filesIn('board-a')).toEqual({ 'a.py': 'one', 'b.py': 'two' });
  });
});

describe('a new image is needed when', () => {
  const changed = { ...inImage, '/app/main.js': 'two' };

  test.each<[string, (service: ReloadedService) => void]>([
    ['the pods run another image', (service) => service.setImage('wealist.local/board:2')],
    ['a rollout is under way', (service) => Object.assign(service, { old: 1 })],
    ['no pod is wanted', (service) => service.scale(0)],
  ])('%s', async (_, change) => {
    const { service, update } = makeUpdates();
    change(service);
    expect(await update(changed)).toBeUndefined();
    expect(service.puts).toEqual([]);
  });

  test("the container's image was built without the volume", async () => {
    const { service, update } = makeUpdates({ volumes: [] });
    expect(await update(changed)).toBeUndefined();
    expect(service.puts).toEqual([]);
    expect(service.mark('board-a')).toBeUndefined();
  });

  test('a file of a stand-in was removed', async () => {
    const { service, update } = makeUpdates();
    const { '/app/public/a.html': _, ...rest } = inImage;
    expect(await update(rest)).toBeUndefined();
    await update({ ...inImage, '/app/public/b.html': 'more' });
    expect(await update({ ...inImage, '/app/main.js': 'two' })).toBeUndefined();
    expect(service.puts).toEqual([['public/b.html']]);
  });

  test('only a new process can run the program', async () => {
    const { service, update } = makeUpdates();
    service.say = (content) => ({ program: toHash(content), refused: 'other needs', startsAnew: true });
    expect(await update(changed)).toBeUndefined();
  });

  test('this is so for one pod of several', async () => {
    const { service, update } = makeUpdates({ pods: ['board-a', 'board-b'] });
    const program = (content: string) => ({ program: toHash(content), refused: 'no', startsAnew: true });
    let questions = 0;
    service.say = (content) => {
      questions += 1;
      return questions === 2 ? program(content) : { program: toHash(content) };
    };
    expect(await update(changed)).toBeUndefined();
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
    expect(await update({ ...inImage, '/app/main.js': 'two' })).toEqual({ put: 1, files: 1 });
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
    expect(await update({ ...inImage, '/app/main.js': 'three' })).toEqual({ put: 1, files: 1 });
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
    expect(await update(inImage)).toEqual({ put: 1, files: 0 });
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
