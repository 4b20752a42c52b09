import { expect, test } from 'vitest';
import { reportPauses } from '../../src/commands/logs/report-pauses.ts';
import { createKindEngine } from '../fakes/kind-engine.ts';

test('a pause and its end are reported once each', async () => {
  const node = 'wealist-control-plane';
  const { docker, add, set } = createKindEngine();
  add(node, { cluster: 'wealist' });
  const lines: string[] = [];
  const stop = new AbortController();
  const say = (line: string) => void lines.push(line);
  const ended = reportPauses({ docker, cluster: 'wealist', say, signal: stop.signal, interval: 1 });
  set(node, { state: 'paused' });
  const paused = `node ${node} is paused: waiting for it (docker unpause ${node}, or npm run up)`;
  await expect.poll(() => lines).toEqual([paused]);
  set(node, { state: 'running' });
  await expect.poll(() => lines).toEqual([paused, `node ${node} runs again`]);
  stop.abort();
  await ended;
});
