import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { listProcessesOf, runVariable } from '../e2e/run-processes.ts';

// A list that is always empty would prove nothing.
test.skipIf(process.platform !== 'linux')(
  'the processes of a run are found until they have ended',
  async () => {
    const run = `test-${process.pid}-${Date.now()}`;
    const env = { ...process.env, [runVariable]: run };
    const child = spawn('sh', ['-c', 'sleep 60; true'], { env, detached: true });
    await expect.poll(() => listProcessesOf(run)).toHaveLength(2);
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await expect.poll(() => listProcessesOf(run)).toEqual([]);
  },
);
