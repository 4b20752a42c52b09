import { expect, test } from 'vitest';
import type { DashboardState } from '../../src/dashboard/dashboard-state.ts';
import { applyChanges } from '../../src/dashboard/patch.ts';
import type { Message } from '../../src/dashboard/protocol.ts';
import { openDashboard, openTab, token } from './open-dashboard.ts';
import { broken, ready } from './recorded-state.ts';

type Numbered = Extract<Message, { type: 'snapshot' | 'patch' }>;

const numbered = (messages: readonly Message[]): readonly Numbered[] =>
  messages.filter((message) => message.type === 'snapshot' || message.type === 'patch');

/** The state as the page builds it from the messages. */
function toShown(messages: readonly Message[]): DashboardState | undefined {
  let state: DashboardState | undefined;
  for (const message of numbered(messages)) {
    state = message.type === 'snapshot' ? message.state : state && applyChanges(state, message.changes);
  }
  return state;
}

test('a tab gets the state, then numbered patches with what has changed only', async () => {
  const dashboard = await openDashboard();
  const tab = await openTab(dashboard);
  await expect.poll(() => toShown(tab.messages)).toEqual(ready);
  dashboard.tabs.update((state) => ({ ...state, lock: { command: 'npm run up', pid: 1, since: 'now' } }));
  dashboard.tabs.update((state) => ({ ...state, interrupted: ['Helm'] }));
  await expect.poll(() => numbered(tab.messages).length).toBe(2);
  expect(numbered(tab.messages).map(({ number }) => number)).toEqual([1, 2]);
  const [, patch] = numbered(tab.messages);
  expect(patch).toMatchObject({
    changes: [
      [['interrupted'], ['Helm']],
      [['lock'], { pid: 1 }],
    ],
  });

  dashboard.tabs.update(() => broken);
  await expect.poll(() => toShown(tab.messages)).toEqual(broken);
});

test('a change that changes nothing is not sent', async () => {
  const dashboard = await openDashboard();
  const tab = await openTab(dashboard);
  await expect.poll(() => numbered(tab.messages).length).toBe(1);
  dashboard.tabs.update((state) => structuredClone(state));
  dashboard.tabs.update((state) => ({ ...state, interrupted: ['last'] }));
  await expect.poll(() => numbered(tab.messages).length).toBe(2);
});

test('the state is sent again on request', async () => {
  const dashboard = await openDashboard();
  const tab = await openTab(dashboard);
  await expect.poll(() => numbered(tab.messages).length).toBe(1);
  tab.send({ type: 'resync' });
  await expect
    .poll(() => numbered(tab.messages).map(({ type, number }) => [type, number]))
    .toEqual([
      ['snapshot', 1],
      ['snapshot', 2],
    ]);
});

test('a tab that reads too slowly gets no patches, but the whole state later, with their number; others get all', async () => {
  const dashboard = await openDashboard();
  const slow = await openTab(dashboard);
  const quick = await openTab(dashboard);
  await expect.poll(() => [slow, quick].map(({ messages }) => numbered(messages).length)).toEqual([1, 1]);
  slow.socket.pause();
  const filler = 'x'.repeat(200_000);
  const turns = 100;
  for (let turn = 0; turn < turns; turn++) {
    dashboard.tabs.update((state) => ({ ...state, interrupted: [`${turn} ${filler}`] }));
    await expect.poll(() => numbered(quick.messages).length).toBe(turn + 2);
  }
  slow.socket.resume();
  await expect.poll(() => toShown(slow.messages)?.interrupted[0]?.slice(0, 3)).toBe('99 ');
  const sent = numbered(slow.messages);
  const skipped = sent.reduce((sum, message) => sum + (message.type === 'snapshot' ? message.skipped : 0), 0);
  expect(skipped).toBeGreaterThan(0);
  expect(sent.filter(({ type }) => type === 'patch').length + skipped).toBe(turns);
  expect(sent.map(({ number }) => number)).toEqual(sent.map((_, at) => at + 1));
});

test('tabs are counted from their token on, until they are closed', async () => {
  const counts: number[] = [];
  const dashboard = await openDashboard({ onCount: (count) => counts.push(count) });
  const first = await openTab(dashboard);
  const second = await openTab(dashboard, token, { origin: `http://localhost:${dashboard.port}` });
  await openTab(dashboard, 'wrong');
  await expect.poll(() => counts).toEqual([1, 2]);
  first.socket.close();
  second.socket.close();
  await expect.poll(() => counts).toEqual([1, 2, 1, 0]);
});

test('the next port is taken when the wanted one is in use; a port that was named is not replaced', async () => {
  const first = await openDashboard();
  const second = await openDashboard({ port: first.port });
  expect(second.port).toBeGreaterThan(first.port);
  await expect(openDashboard({ port: first.port, tried: 1 })).rejects.toThrow(`port ${first.port} is taken`);
});
