import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LogSource } from '../../src/logs/log-containers.ts';
import { type LogLine, toLogTime } from '../../src/logs/log-line.ts';
import { type FollowOptions, followLogs, printLogs } from '../../src/logs/logs.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { listPods } from '../../src/tools/kubernetes/watch-pods.ts';
import { type ApiServerFake, startApiServer } from '../fakes/api-server.ts';

const namespace = 'wealist-kind-local';

/** A pod of a component whose one container has this restart count. */
function makePod(name: string, component: string, { run = 0, running = true } = {}): Pod {
  const state = running ? { running: { startedAt: '' } } : { terminated: { exitCode: 1 } };
  return {
    metadata: { name, namespace, uid: name, creationTimestamp: '', labels: { app: component } },
    spec: { containers: [{ name: 'main', image: '' }] },
    status: {
      containerStatuses: [
        {
          ...{ name: 'main', ready: running, restartCount: run, image: '', imageID: '', state },
          containerID: `containerd://${name}-${run}`,
        },
      ],
    },
  };
}

const line = (second: number, text: string): LogLine => ({ time: toLogTime(second * 1000), text });

/** Starts a pod with these existing log lines. */
function startPod(fake: ApiServerFake, name: string, component: string, ...lines: readonly LogLine[]): void {
  fake.startRun(name, 'main');
  fake.writeLog(name, 'main', ...lines);
  fake.setPod(makePod(name, component));
}

function open(fake: ApiServerFake, options: Partial<FollowOptions> = {}) {
  const api = createApiServer({ server: fake.url });
  const written: string[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const all = {
    namespace,
    componentOf: ({ metadata }: Pod) => metadata.labels?.app,
    signal: stop.signal,
    async write({ component, podSuffix }: LogSource, lines: readonly LogLine[]) {
      written.push(...lines.map(({ text }) => `${[component, podSuffix ?? []].flat().join('/')}: ${text}`));
    },
    ...options,
  };
  return {
    written,
    print: async (previous = false) =>
      printLogs(api, await listPods(api, namespace, stop.signal), { ...all, previous }),
    follow() {
      const ended = followLogs(api, all).catch((error) => error);
      return { stop: (reason: Error) => stop.abort(reason), ended };
    },
  };
}

const until = (expected: () => void) => vi.waitFor(expected, { interval: 5, timeout: 5_000 });

test('all existing lines, merged in time order', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'), line(3, 'three'));
  startPod(fake, 'redis-0', 'redis', line(2, 'two'), line(4, 'four'));
  const { written, print } = open(fake);
  expect(await print()).toBe(2);
  expect(written).toEqual(['auth: one', 'redis: two', 'auth: three', 'redis: four']);
});

test('only the last lines, and only lines since a time', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1.2, 'one'), line(1.6, 'two'), line(3, 'three'));
  const last = open(fake, { tail: 2 });
  await last.print();
  expect(last.written).toEqual(['auth: two', 'auth: three']);
  const late = open(fake, { since: 1_500 });
  await late.print();
  expect(late.written).toEqual(['auth: two', 'auth: three']);
});

test('the previous run, if there is one', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'crashing'));
  fake.startRun('auth-a', 'main');
  fake.setPod(makePod('auth-a', 'auth', { run: 1 }));
  startPod(fake, 'redis-0', 'redis', line(2, 'well'));
  const { written, print } = open(fake);
  expect(await print(true)).toBe(1);
  expect(written).toEqual(['auth: crashing']);
});

test('a missing log does not hide the others', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  fake.setPod(makePod('redis-0', 'redis'));
  const { written, print } = open(fake);
  await print();
  expect(written).toEqual(['auth: one']);
});

test('follows restarts, each line once', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake);
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.writeLog('auth-a', 'main', line(1, 'one more'), line(2, 'two'));
  await until(() => expect(written.length).toBe(3));
  fake.endRun('auth-a', 'main');
  fake.setPod(makePod('auth-a', 'auth', { running: false }));
  fake.startRun('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(2, 'second run'));
  fake.setPod(makePod('auth-a', 'auth', { run: 1 }));
  await until(() => expect(written.length).toBe(4));
  fake.writeLog('auth-a', 'main', line(3, 'three'));
  await until(() => expect(written.length).toBe(5));
  expect(written).toEqual(['one', 'one more', 'two', 'second run', 'three'].map((text) => `auth: ${text}`));
});

test('a short run is read afterwards, with a gap because the end of the previous one is unknown', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake);
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.startRun('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(2, 'short'));
  fake.endRun('auth-a', 'main');
  fake.startRun('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(3, 'three'));
  fake.setPod(makePod('auth-a', 'auth', { run: 2 }));
  fake.setDown(true);
  fake.setDown(false);
  await until(() => expect(written.length).toBe(4));
  expect(written).toEqual(['auth: one', 'auth: -- gap --', 'auth: short', 'auth: three']);
});

test('no gap when one whole run was missed after a run that was read to its end', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake);
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.setPod(makePod('auth-a', 'auth', { running: false }));
  fake.endRun('auth-a', 'main');
  // Wait until the end of the run was detected.
  await sleep(700);
  fake.startRun('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(2, 'short'));
  fake.endRun('auth-a', 'main');
  fake.startRun('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(3, 'three'));
  fake.setPod(makePod('auth-a', 'auth', { run: 2 }));
  await until(() => expect(written).toEqual(['auth: one', 'auth: short', 'auth: three']));
});

test('a previous run that the node has removed is a gap', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake);
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.startRun('auth-a', 'main');
  fake.forgetRuns('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(3, 'three'));
  fake.setPod(makePod('auth-a', 'auth', { run: 1 }));
  fake.setDown(true);
  fake.setDown(false);
  await until(() => expect(written).toEqual(['auth: one', 'auth: -- gap --', 'auth: three']));
});

test('a log that was rotated while it was not read continues after a gap', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake, { interval: 10 });
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.setDown(true);
  fake.writeLog('auth-a', 'main', line(2, 'lost'));
  fake.rotateLog('auth-a', 'main');
  fake.writeLog('auth-a', 'main', line(3, 'three'));
  fake.setDown(false);
  await until(() => expect(written).toEqual(['auth: one', 'auth: -- gap --', 'auth: three']));
});

test('a stalled stream is reopened when the log has newer lines', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake, { silenceTimeout: 50 });
  follow();
  await until(() => expect(written.length).toBe(1));
  // Wait until the log is followed.
  await until(() => expect(fake.requests.filter((path) => path.includes('follow')).length).toBe(1));
  await sleep(150);
  expect(fake.requests.filter((path) => path.includes('follow')).length).toBe(1);
  fake.setStuck(true);
  fake.writeLog('auth-a', 'main', line(2, 'two'));
  await until(() => expect(written).toEqual(['auth: one', 'auth: two']));
});

test('a hundred containers are followed at once', async () => {
  const fake = await startApiServer();
  const names = Array.from({ length: 100 }, (_, at) => `auth-${at}`);
  for (const name of names) startPod(fake, name, 'auth', line(1, 'started'));
  const { written, follow } = open(fake);
  follow();
  await until(() => expect(written.length).toBe(100));
  for (const name of names) fake.writeLog(name, 'main', line(2, 'followed'));
  await until(() => expect(written.length).toBe(200));
});

test('follows new pods, and names them when there are several', async () => {
  const fake = await startApiServer();
  let nothing = 0;
  const { written, follow } = open(fake, { onNoLogs: () => nothing++ });
  follow();
  await until(() => expect(nothing).toBe(1));
  startPod(fake, 'auth-5f-aaa', 'auth', line(1, 'one'));
  await until(() => expect(written).toEqual(['auth: one']));
  startPod(fake, 'auth-5f-bbb', 'auth', line(2, 'two'));
  await until(() => expect(written.at(-1)).toBe('auth/bbb: two'));
  fake.endRun('auth-5f-aaa', 'main');
  fake.removePod('auth-5f-aaa');
  await sleep(50);
  fake.writeLog('auth-5f-bbb', 'main', line(3, 'three'));
  await until(() => expect(written.at(-1)).toBe('auth: three'));
  expect(written.length).toBe(3);
});

test('continues after an outage of the API server, which is reported once', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const silences: string[] = [];
  const { written, follow } = open(fake, {
    onSilence: ({ message }) => silences.push(message),
    interval: 10,
  });
  follow();
  await until(() => expect(written.length).toBe(1));
  fake.setDown(true);
  fake.writeLog('auth-a', 'main', line(1, 'meanwhile'));
  await until(() => expect(silences).toEqual(['the cluster does not respond']));
  await sleep(50);
  fake.setDown(false);
  await until(() => expect(written).toEqual(['auth: one', 'auth: meanwhile']));
  expect(silences.length).toBe(1);
});

test('reads no faster than the output accepts', async () => {
  const fake = await startApiServer();
  const text = 'x'.repeat(1000);
  startPod(fake, 'auth-a', 'auth', ...Array.from({ length: 20_000 }, (_, index) => line(index, text)));
  let written = 0;
  const { print } = open(fake, {
    async write(_, lines) {
      written += lines.length;
      await new Promise(() => {});
    },
  });
  void print();
  await until(() => expect(written).toBeGreaterThan(0));
  await sleep(100);
  expect(written).toBeLessThan(1_000);
});

test('rejects with the reason of the abort', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth', line(1, 'one'));
  const { written, follow } = open(fake);
  const { stop, ended } = follow();
  await until(() => expect(written.length).toBe(1));
  stop(new Error('interrupted'));
  expect(await ended).toMatchObject({ message: 'interrupted' });
});

test('an output error ends the command', async () => {
  const fake = await startApiServer();
  startPod(fake, 'auth-a', 'auth');
  const { follow } = open(fake, {
    async write() {
      throw new TypeError('a bug');
    },
  });
  const { ended } = follow();
  await sleep(50);
  fake.writeLog('auth-a', 'main', line(1, 'one'));
  expect(await ended).toMatchObject({ message: 'a bug' });
});

test('a cluster that never responded is a failure', async () => {
  const { ended } = open({ url: 'http://127.0.0.1:1' } as ApiServerFake).follow();
  expect(await ended).toMatchObject({
    message: 'the cluster does not respond',
    exitCode: 5,
    hint: 'npm run status',
  });
});
