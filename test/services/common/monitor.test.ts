import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../../services/common/log.ts';
import { startMonitor } from '../../../services/common/monitor.ts';
import { type FakeDependency, fakeDependency } from '../../fakes/dependency.ts';

function monitorOf(...dependencies: FakeDependency[]) {
  const lines: string[] = [];
  const log = createLog('test', 'debug', (line) => lines.push(JSON.parse(line).message));
  const monitor = startMonitor(dependencies, { log, interval: { store: 5, service: 5 }, timeout: 20 });
  onTestFinished(() => monitor.stop());
  return { monitor, lines };
}

const within = (milliseconds: number) => AbortSignal.timeout(milliseconds);

test('is ready as soon as every store is up, independent of services', async () => {
  const store = fakeDependency('postgres', 'down');
  const { monitor } = monitorOf(store, fakeDependency('user-service', 'down', 'service'));
  const ready = monitor.whenReady(within(5_000));
  await monitor.whenReady(within(30));
  expect(monitor.isReady()).toBe(false);
  expect(monitor.hasStarted()).toBe(false);
  store.state = 'up';
  await ready;
  expect(monitor.isReady()).toBe(true);
  expect(monitor.states().map(({ name, state }) => `${name} ${state}`)).toEqual([
    'postgres up',
    'user-service down',
  ]);
});

test('detects the start and the end of an outage, and logs each change once with its reason', async () => {
  const store = fakeDependency('redis');
  const { monitor, lines } = monitorOf(store);
  await monitor.whenReady(within(5_000));
  store.state = 'down';
  await expect.poll(() => monitor.states()[0]).toMatchObject({ state: 'down', error: 'redis refused' });
  expect(monitor.hasStarted()).toBe(true);
  store.state = 'silent';
  await expect.poll(() => monitor.states()[0]?.error).toBe('timeout after 20 ms');
  store.state = 'up';
  await monitor.whenReady(within(5_000));
  expect(lines).toEqual([
    'redis is up',
    'redis is down: redis refused',
    'redis is down: timeout after 20 ms',
    'redis is up',
  ]);
});

test('without stores it is ready from the start', () => {
  const { monitor } = monitorOf(fakeDependency('user-service', 'down', 'service'));
  expect(monitor.isReady()).toBe(true);
  expect(monitor.hasStarted()).toBe(true);
});

test('stops during a probe', async () => {
  const { monitor } = monitorOf(fakeDependency('s3', 'silent'));
  await monitor.stop();
});
