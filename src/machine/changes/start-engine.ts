import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { waitFor } from '../../lib/wait.ts';
import { type FailureRule, findRule } from '../../tools/failure-rules.ts';
import type { Host } from '../host.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';

const dockerd = '/usr/sbin/dockerd';
const pidFilePath = '/var/run/docker.pid';

/** What dockerd writes to its log before it ends. */
const dockerdRules: readonly FailureRule[] = [
  {
    pattern: /iptables.*(?:nf_tables|nft|Could not fetch rule set|RULE_APPEND failed)/,
    hint: 'sudo update-alternatives --set iptables /usr/sbin/iptables-legacy',
  },
  {
    pattern: /Devices cgroup isn't mounted/,
    hint: 'sudo apt-get install --yes cgroupfs-mount && sudo cgroupfs-mount',
  },
  {
    pattern: /driver not supported|failed to mount overlay/,
    hint: 'set "storage-driver": "vfs" in /etc/docker/daemon.json',
  },
];

export interface StartOptions {
  readonly host: Host;
  /** File for the engine's output where systemd does not log it. */
  readonly log: string;
  /** Resolves to true while an engine is running, whether or not this user may use it. */
  readonly isRunning: () => Promise<boolean>;
  /** Milliseconds until it must respond, and between two checks. */
  readonly timeout?: number;
  readonly interval?: number;
}

/** Starts the engine of Debian's or Ubuntu's docker.io: by systemd, or detached, so that it outlives this program. */
export function startEngine(root: Root, options: StartOptions): Change {
  const { host, log, isRunning } = options;
  return {
    id: 'start-engine',
    title: host.hasSystemd ? 'docker.service started' : 'dockerd started in the background',
    why: 'the cluster runs in containers, and no container engine is running',
    detail: root.show(
      host.hasSystemd
        ? 'systemctl enable --now docker'
        : `start-stop-daemon ${detached(root, log).join(' ')}`,
    ),
    isNeeded: async () => !(await isRunning()),
    async apply({ signal, report }) {
      if (host.hasSystemd) await root.run('systemctl', ['enable', '--now', 'docker'], { signal });
      else await startDetached(root, options, signal);
      report('waiting until it responds');
      await waitForEngine(options, signal);
    },
  };
}

export interface RestartOptions extends StartOptions {
  readonly why: string;
}

/** Restarts the running engine, so that it reads its settings. Always needed: the caller has decided it. */
export function restartEngine(root: Root, options: RestartOptions): Change {
  const { host, why } = options;
  const stop = [
    '--stop',
    '--oknodo',
    '--retry',
    'TERM/30/KILL/5',
    '--pidfile',
    root.path(pidFilePath),
    '--exec',
    dockerd,
  ];
  return {
    id: 'restart-engine',
    title: 'the container engine restarted, which stops its running containers',
    why,
    detail: root.show(
      host.hasSystemd ? 'systemctl restart docker' : `start-stop-daemon ${stop.join(' ')}, then start it`,
    ),
    isNeeded: async () => true,
    async apply({ signal, report }) {
      if (host.hasSystemd) await root.run('systemctl', ['restart', 'docker'], { signal });
      else {
        await root.run('start-stop-daemon', stop, { signal });
        await startDetached(root, options, signal);
      }
      report('waiting until it responds');
      await waitForEngine(options, signal);
    },
  };
}

/** In a session of its own, so that neither Ctrl-C nor the end of this terminal ends it. */
function detached(root: Root, log: string): readonly string[] {
  const pidFile = root.path(pidFilePath);
  const start = [
    '--start',
    '--background',
    '--oknodo',
    '--pidfile',
    pidFile,
    '--output',
    log,
    '--exec',
    dockerd,
  ];
  // At its own level it writes several lines for each container, for months.
  return [...start, '--', '--log-level=warn'];
}

async function startDetached(
  root: Root,
  { host, log }: Pick<StartOptions, 'host' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  await removeStalePid(root);
  await prepareLog(root, host, log);
  await root.run('start-stop-daemon', detached(root, log), { signal });
}

/** Bytes after which the log is renamed to `<log>.old` when the engine starts. */
const rotatedAfter = 1024 * 1024;

/** The folder belongs to the user, since other logs are written there without root; root writes the log itself. */
async function prepareLog(root: Root, { user }: Host, log: string): Promise<void> {
  const folder = dirname(log);
  await makeFolder(folder, 0o700);
  const isOwn = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isOwn) await root.run('chown', [user, folder]);
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > rotatedAfter) await root.run('mv', ['-f', log, `${log}.old`]);
}

/** Where /run outlives a reboot, another process may have the PID in the file, and dockerd would not start. */
async function removeStalePid(root: Root): Promise<void> {
  const pidFile = root.path(pidFilePath);
  const pid = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (pid === undefined) return;
  const name = await readFile(root.path(`/proc/${pid.trim()}/comm`), 'utf8').catch(() => '');
  if (name.trim() !== 'dockerd') await root.run('rm', ['-f', pidFile]);
}

async function waitForEngine(
  { host, log, isRunning, timeout = 60_000, interval = 250 }: StartOptions,
  signal: AbortSignal,
): Promise<void> {
  const runs = async () => ((await isRunning()) ? true : undefined);
  if (await waitFor(runs, { interval, timeout, signal })) return;
  const said = host.hasSystemd ? '' : await lastLines(log);
  const look = host.hasSystemd ? 'journalctl --unit docker --lines 50' : `tail -n 50 ${log}`;
  throw new Failure(`dockerd did not respond within ${timeout / 1000} s`, {
    ...(said === '' ? {} : { cause: said }),
    hint: findRule(dockerdRules, said)?.hint ?? look,
  });
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
