import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import { waitFor } from '../../lib/wait.ts';
import type { Change } from '../change.ts';
import type { Host } from '../host.ts';
import type { Root } from '../root.ts';

const dockerd = '/usr/sbin/dockerd';
const pidFile = '/var/run/docker.pid';

export interface StartOptions {
  readonly host: Host;
  /** The engine's output where no systemd keeps it. */
  readonly log: string;
  /** Resolves to true once the engine answers. */
  readonly answers: () => Promise<boolean>;
  readonly timeout?: number;
}

/** The engine of Debian's docker.io started: by systemd, or detached, so that it outlives this program. */
export function startEngine(root: Root, { host, log, answers, timeout = 60_000 }: StartOptions): Change {
  const command = host.hasSystemd ? 'systemctl enable --now docker' : `setsid --fork ${dockerd}`;
  return {
    id: 'start-engine',
    title: host.hasSystemd ? 'docker.service started' : 'dockerd started in the background',
    why: 'the cluster runs in containers, and no engine answers',
    command: root.show(command),
    async isNeeded() {
      return !(await answers());
    },
    async apply({ signal, report }) {
      if (host.hasSystemd) await root.run('systemctl', ['enable', '--now', 'docker'], { signal });
      else await startDetached(root, log, signal);
      report('waiting for its answer');
      const answered = await waitFor(async () => ((await answers()) ? true : undefined), {
        every: 250,
        timeout,
        signal,
      });
      if (!answered) {
        throw new Failure(`dockerd did not answer within ${timeout / 1000} s`, {
          cause: host.hasSystemd ? undefined : await lastLines(log),
          hint: host.hasSystemd ? 'journalctl --unit docker --lines 50' : `tail -n 50 ${log}`,
        });
      }
    },
  };
}

async function startDetached(root: Root, log: string, signal: AbortSignal): Promise<void> {
  await removeStalePid(root);
  await root.run('mkdir', ['-p', join(log, '..')]);
  const start = ['--start', '--background', '--oknodo', '--pidfile', pidFile, '--output', log];
  await root.run('start-stop-daemon', [...start, '--exec', dockerd], { signal });
}

/** Where /run outlives a reboot, the old number may belong to anyone by now, and dockerd would refuse to start. */
async function removeStalePid(root: Root): Promise<void> {
  const pid = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (pid === undefined) return;
  const name = await readFile(`/proc/${pid.trim()}/comm`, 'utf8').catch(() => '');
  if (name.trim() !== 'dockerd') await root.run('rm', ['-f', pidFile]);
}

async function lastLines(log: string): Promise<string | undefined> {
  const text = await readFile(log, 'utf8').catch(() => undefined);
  return text?.trimEnd().split('\n').slice(-5).join('\n');
}
