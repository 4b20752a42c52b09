import { appendFile, chmod, link, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { exitCodes, Failure } from '../../../src/lib/failure.ts';
import { makeGate, watchService } from '../../fakes/watched-service.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const image = /wealist\.local\/board:[0-9a-f]{12}/;

test('reloads at once, and again with a new image after a save, with a line each', async () => {
  const world = await watchService();
  const { line, write, builds, service, stderr } = world;
  const first = await line(1);
  expect(first).toMatch(
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d board runs ${image.source} after \\d+\\.\\d\\d s: build .*, load .*`),
  );
  expect(stderr()).toBe('watching board until Ctrl-C\n');
  await write('main.py', 'two');
  const second = await line(2);
  expect(image.exec(second)?.[0]).not.toBe(image.exec(first)?.[0]);
  expect(service.pods().map((pod) => pod.image)).toEqual([image.exec(second)?.[0]]);
  expect(builds.map(({ content }) => content)).toEqual(['one', 'two']);
  expect(world.holds).toBe(2);
});

test('each reload is recorded: its steps and phases, and how it ended', async () => {
  const world = await watchService();
  await world.line(1);
  await world.write('live/page.html', 'two');
  await world.line(2);
  world.build = async () => {
    throw new Failure('the Dockerfile is broken', { hint: 'mend it', exitCode: exitCodes.image });
  };
  await world.write('main.py', 'two');
  const ended = async () => (await world.runs()).filter(({ state }) => state === 'ended');
  await expect.poll(ended).toHaveLength(3);
  const [failed, live, first] = await ended();
  const common = { command: 'reload', args: ['board'], trigger: 'watch' };
  const toPhases = (run: typeof first) => run?.steps.map(({ phases }) => phases.map(({ name }) => name));
  expect(first).toMatchObject({ ...common, exitCode: 0, steps: [{ step: 'board', state: 'done' }] });
  expect(toPhases(first)).toEqual([['build', 'load', 'roll out']]);
  expect(live).toMatchObject({ ...common, exitCode: 0, steps: [{ step: 'board live', state: 'done' }] });
  expect(failed).toMatchObject({
    ...{ ...common, exitCode: 7, steps: [{ step: 'board', state: 'failed' }] },
    failure: { message: 'the Dockerfile is broken', hint: 'mend it' },
  });
  expect(toPhases(failed)).toEqual([['build']]);
});

test('a change that is reverted during the build needs no reload', async () => {
  const world = await watchService();
  const { line, write, source, builds, pod } = world;
  const running = image.exec(await line(1))?.[0];
  const before = pod();
  world.build = makeGate().pass;
  // The same file, with its modification time.
  await rename(join(source, 'main.py'), join(source, 'kept~'));
  await write('main.py', 'two');
  await expect.poll(() => builds.at(-1)?.content).toBe('two');
  await rename(join(source, 'kept~'), join(source, 'main.py'));
  expect(await line(2)).toMatch(new RegExp(` board already running ${running}$`));
  expect(pod()).toBe(before);
});

test('a file of a live folder is copied into the running container, without an image and without the lock', async () => {
  const world = await watchService();
  const { line, write, service, builds, pod } = world;
  const running = image.exec(await line(1))?.[0];
  const before = { pod: pod(), holds: world.holds };
  await write('live/page.html', 'two');
  expect(await line(2)).toMatch(
    new RegExp(`^[\\d:]+ board live after \\d+\\.\\d\\d s: 1 file on top of ${running}$`),
  );
  await write('live/page.log', 'left out');
  await write('live/deep/er.html', 'three');
  expect(await line(3)).toMatch(/ 2 files on top of /);
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'two', 'deep/er.html': 'three' });
  expect({ pod: pod(), holds: world.holds }).toEqual(before);
  expect(builds).toHaveLength(1);
});

test('any other file builds an image with all live files, and the next live file goes into its container', async () => {
  const { line, write, service, pod } = await watchService();
  await line(1);
  await write('live/page.html', 'two');
  await line(2);
  const before = pod();
  await write('main.py', 'two');
  expect(await line(3)).toMatch(/ board runs /);
  expect(pod()).not.toBe(before);
  expect(service.filesIn(pod())).toEqual({});
  await write('live/page.html', 'three');
  expect(await line(4)).toMatch(/ board live after .* 1 file on top of /);
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'three' });
});

test('after a rollout by another command, an image is built again', async () => {
  const { line, write, service, builds } = await watchService();
  await line(1);
  service.setImage('wealist.local/board:another');
  await write('live/page.html', 'two');
  const last = await line(2);
  expect(last).toMatch(/ board runs /);
  expect(service.pods().map((pod) => pod.image)).toEqual([image.exec(last)?.[0]]);
  expect(builds).toHaveLength(2);
});

test('a file deleted from a live folder is removed from the container, and one that is as before is put back', async () => {
  const { line, write, remove, source, service, builds, pod } = await watchService();
  await line(1);
  await rename(join(source, 'live/page.html'), join(source, 'kept~'));
  await write('live/other.html', 'two');
  expect(await line(2)).toMatch(/ board live after .* 2 files on top of /);
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'removed', 'other.html': 'two' });
  await rename(join(source, 'kept~'), join(source, 'live/page.html'));
  await remove('live/other.html');
  await expect.poll(() => service.filesIn(pod())).toEqual({ 'page.html': 'one', 'other.html': 'removed' });
  await expect.poll(() => service.mark(pod())).toBeUndefined();
  expect(builds).toHaveLength(1);
});

test('a container that starts gets all that is live: after a crash, and as a further replica', async () => {
  const { line, write, service, pod } = await watchService();
  await line(1);
  await write('live/page.html', 'two');
  await line(2);
  const all = { 'page.html': 'two' };
  service.restart(pod());
  expect(service.filesIn(pod())).toEqual({});
  expect(await line(3)).toMatch(
    new RegExp(` board live again in ${pod()}, which has started: 1 file on top of `),
  );
  expect(service.filesIn(pod())).toEqual(all);
  expect(service.mark(pod())).toMatchObject({ files: 1, sourceHash: expect.stringMatching(/^.{64}$/) });
  service.scale(2);
  expect(await line(4)).toMatch(/ board live again in board-1, which has started: /);
  expect(service.filesIn('board-1')).toEqual(all);
  // The next save goes into both, with what is live already.
  service.restart('board-1');
  await write('live/deep/er.html', 'two');
  await expect.poll(() => service.filesIn('board-1')).toEqual({ ...all, 'deep/er.html': 'two' });
  await expect.poll(() => service.filesIn(pod())).toEqual({ ...all, 'deep/er.html': 'two' });
});

test('a container that starts is held until all that is live is in it', async () => {
  const { line, write, service, pod } = await watchService();
  await line(1);
  // Nothing is live yet.
  await service.start('run-9');
  await write('live/page.html', 'two');
  await line(2);
  let isHeld = true;
  const next = Number(service.pods()[0]?.containerID.split('-')[1]) + 1;
  const held = service.start(`run-${next}`).then(() => {
    isHeld = false;
  });
  service.beforePut = async () => expect(isHeld).toBe(true);
  service.restart(pod());
  await held;
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'two' });
});

test('a save while the container does not run goes into it when it starts', async () => {
  const { line, write, service, pod, stderr } = await watchService();
  await line(1);
  service.isRunning = false;
  service.notify();
  await write('live/page.html', 'two');
  await expect.poll(stderr).toContain('board does not run: 1 file will be in its container when it starts');
  service.isRunning = true;
  service.restart(pod());
  expect(await line(2)).toMatch(/ board live again in .* 1 file on top of /);
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'two' });
});

test('a container that starts without anything live is left alone', async () => {
  const world = await watchService();
  const { line, service, pod, lines, builds } = world;
  await line(1);
  const before = world.reads;
  service.restart(pod());
  await expect.poll(() => world.reads).toBeGreaterThan(before);
  expect(service.puts).toEqual([]);
  expect(lines()).toHaveLength(1);
  expect(builds).toHaveLength(1);
});

test('saves during a build restart it, and become one reload', async () => {
  const world = await watchService();
  const { line, write, builds, lines } = world;
  await line(1);
  const { open, pass } = makeGate();
  world.build = async (run) => {
    await pass(run);
    // The error of a program that was terminated.
    if (run.signal.aborted) throw new Failure('board was not built', { exitCode: exitCodes.image });
  };
  for (const [at, content] of ['two', 'three', 'four'].entries()) {
    await write('main.py', content);
    await expect.poll(() => builds.map((each) => each.content)[at + 1]).toBe(content);
  }
  expect(builds.slice(1).map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  expect(lines()).toHaveLength(1);
  open();
  expect(await line(2)).toMatch(/ board runs /);
  expect(world.stderr()).toBe('watching board until Ctrl-C\n');
  await expect
    .poll(async () => (await world.runs()).map(({ exitCode, failure }) => failure?.message ?? exitCode))
    .toEqual([0, 'ended by another save', 'ended by another save', 0]);
});

test('an event without a change does not restart the build', async () => {
  const world = await watchService();
  const { line, write, builds, source } = world;
  await line(1);
  const { open, pass } = makeGate();
  world.build = pass;
  await write('main.py', 'two');
  await expect.poll(() => builds).toHaveLength(2);
  const before = world.reads;
  const { mode } = await stat(join(source, 'main.py'));
  await chmod(join(source, 'main.py'), mode);
  await expect.poll(() => world.reads).toBeGreaterThan(before);
  open();
  await line(2);
  expect(builds).toHaveLength(2);
  expect(builds.at(-1)?.signal.aborted).toBe(false);
});

test('files outside the build context do not trigger a reload', async () => {
  const { line, write, lines } = await watchService();
  await line(1);
  await write('main.log', 'a line');
  await write('node_modules/pg/index.js', '');
  await write('main.py', 'two');
  expect(await line(2)).toMatch(/ board runs /);
  await write('main.py', 'three');
  await line(3);
  expect(lines()).toHaveLength(3);
});

test.each([
  [
    'lies in a new folder',
    ['live/new/a.html'],
    { 'new/a.html': 'two', new: expect.stringMatching(/^folder:/) },
  ],
  ['is saved after something that tools made', ['made.json', 'live/page.html'], { 'page.html': 'two' }],
])('a file that %s goes into the running container, too', async (_, saved, put) => {
  const { line, write, service, pod } = await watchService();
  await line(1);
  for (const path of saved) await write(path, 'two');
  expect(await line(2)).toMatch(/ board live after .* 1 file on top of /);
  expect(service.filesIn(pod())).toEqual(put);
});

test('a log that git ignores in the context wakes nothing, and does not disturb a build', async () => {
  const world = await watchService();
  const { line, lines, write, builds, source } = world;
  const grow = () => appendFile(join(source, 'made.json'), 'line\n');
  world.build = async () => {
    for (let count = 0; count < 3; count += 1) await grow();
  };
  await line(1);
  for (let count = 0; count < 30; count += 1) {
    await grow();
    await sleep(10);
  }
  expect({ lines: lines().length, builds: builds.length }).toEqual({ lines: 1, builds: 1 });
  await write('live/page.html', 'two');
  expect(await line(2)).toMatch(/ board live after .* 1 file on top of /);
});

test('of files saved together, none is lost whose event arrives late', async () => {
  const world = await watchService();
  const { line, write, builds, service, pod } = world;
  await line(1);
  world.onRead = async () => {
    world.onRead = async () => {};
    await write('main.py', 'two');
  };
  await write('live/page.html', 'two');
  expect(await line(2)).toMatch(/ board runs /);
  expect(builds.map(({ content }) => content)).toEqual(['one', 'two']);
  await write('live/deep/er.html', 'two');
  expect(await line(3)).toMatch(/ board live after .* 1 file on top of /);
  expect(service.filesIn(pod())).toEqual({ 'deep/er.html': 'two' });
});

test('a save without an event is found with the next event in the folder', async () => {
  const { line, write, builds, source } = await watchService();
  await line(1);
  // Writing to the file through another link causes no event in the folder.
  const other = join(await makeTemporaryFolder(), 'other');
  await link(join(source, 'main.py'), other);
  await writeFile(other, 'two');
  await write('a.log', '');
  expect(await line(2)).toMatch(/ board runs /);
  expect(builds.map(({ content }) => content)).toEqual(['one', 'two']);
});

test('a failed build is reported, and the next save is tried', async () => {
  const world = await watchService();
  const { line, write, stderr, lines, pod } = world;
  await line(1);
  const before = pod();
  world.build = async () => {
    throw new Failure('board was not built', { cause: 'line 3: syntax', exitCode: exitCodes.image });
  };
  await write('main.py', 'tow');
  await expect.poll(stderr).toMatch(/\d\d:\d\d:\d\d ✗ board was not built\n {2}because {2}line 3: syntax\n$/);
  expect(pod()).toBe(before);
  world.build = async () => {};
  await write('main.py', 'two');
  expect(await line(2)).toMatch(/ board runs /);
  expect(lines()).toHaveLength(2);
});

test('under --json each reload and each failure is a line of JSON', async () => {
  const world = await watchService({ json: true });
  const { line, write } = world;
  const parse = async (count: number) => JSON.parse(await line(count));
  expect(await parse(1)).toMatchObject({
    ...{ version: 1, kind: 'image', service: 'board', changed: true },
    image: expect.stringMatching(image),
    phases: { build: expect.any(Number), load: expect.any(Number), 'roll out': expect.any(Number) },
    milliseconds: expect.any(Number),
  });
  await write('live/page.html', 'two');
  expect(await parse(2)).toMatchObject({ version: 1, kind: 'live', service: 'board', files: 1 });
  world.build = async () => {
    throw new Failure('board was not built', { exitCode: exitCodes.image });
  };
  await write('main.py', 'two');
  expect(await parse(3)).toMatchObject({
    ...{ version: 1, service: 'board' },
    error: { message: 'board was not built', exitCode: 7 },
  });
});

test('a bug ends the watch, unlike a failure', async () => {
  const world = await watchService();
  const { line, write, ended } = world;
  await line(1);
  const bug = new TypeError('x is undefined');
  world.build = () => Promise.reject(bug);
  await write('main.py', 'two');
  expect(await ended).toBe(bug);
});

test('ends when the signal is aborted, and aborts a running build', async () => {
  const world = await watchService();
  const { line, write, builds, end, ended, lines } = world;
  await line(1);
  world.build = makeGate().pass;
  await write('main.py', 'two');
  await expect.poll(() => builds).toHaveLength(2);
  end.abort(new Error('Ctrl-C'));
  expect(await ended).toBe(end.signal.reason);
  expect(builds.at(-1)?.signal.aborted).toBe(true);
  expect(lines()).toHaveLength(1);
});

test('a live file saved at the end of a rollout goes into the new container', async () => {
  const world = await watchService();
  const { line, write, service, pod } = world;
  await line(1);
  const { open, pass } = makeGate();
  world.build = pass;
  await write('live/page.html', 'two');
  await write('main.py', 'two');
  world.onFound = async () => {
    world.onFound = async () => {};
    const before = world.reads;
    await write('live/page.html', 'three');
    await write('live/deep/er.html', 'three');
    await expect.poll(() => world.reads).toBeGreaterThan(before);
  };
  open();
  await expect.poll(() => world.lines().at(-1)).toMatch(/ board live .* 2 files on top of /);
  expect(service.filesIn(pod())).toEqual({ 'page.html': 'three', 'deep/er.html': 'three' });
});

test('a source that cannot be read is reported, and the next save is tried', async () => {
  const { line, write, remove, stderr } = await watchService();
  await line(1);
  await remove('Dockerfile');
  await expect.poll(stderr).toMatch(/services\.board has no Dockerfile at /);
  await write('Dockerfile', 'FROM another\n');
  expect(await line(2)).toMatch(/ board (runs|already running) /);
});
