import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { Paths } from '../state/paths.ts';
import type { Docker } from '../tools/docker/docker.ts';
import { defaultSocket } from '../tools/docker/engine-socket.ts';
import type { Exec } from '../tools/exec.ts';
import type { Change } from './changes/change.ts';
import { joinDockerGroup } from './changes/docker-group.ts';
import {
  type EngineSettings,
  setEngineSettings,
  settingsFile,
  toDaemonSettings,
  wrapperPath,
  wrapperSource,
} from './changes/engine-settings.ts';
import { finishPackages } from './changes/finish-packages.ts';
import { raiseInotify } from './changes/inotify-limits.ts';
import { installPackages } from './changes/install-packages.ts';
import { createRoot, type Root } from './changes/root.ts';
import { restartEngine, startEngine } from './changes/start-engine.ts';
import { type Engine, getEngine } from './engine.ts';
import { listEngineAddresses } from './engine-address.ts';
import { EngineFailure } from './engine-failure.ts';
import { findProgram, type Host } from './host.ts';
import { countNodes, lowInotify } from './inotify.ts';
import { findPrivilegedProblem, type PrivilegedProblem } from './privileged-run.ts';
import { createSystemRecord } from './system-record.ts';

/** ID in the record, also of one that has only begun, by which this tool may install, configure and start the engine. */
const engineChange = 'install-docker';
const defaultMtu = 1500;

export interface ChangesOptions {
  readonly host: Host;
  /** The result of `findEngine`. */
  readonly engine: Engine | undefined;
  /** The API of that engine, where a cluster will be created: it is tested whether a node can run. */
  readonly docker?: Docker | undefined;
  readonly exec: Exec;
  readonly paths: Paths;
  /** Debian packages that building images needs; installed with apt where the system has it. */
  readonly packages?: readonly string[];
  /** Worker nodes of the cluster that will be created. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * The changes that this system needs before a cluster can be created, in their order; empty when it needs none.
 * Changes nothing itself, except for a privileged test container, which is removed.
 * @throws {EngineFailure} when the engine is missing or unsuitable, and this tool may not install or configure it.
 */
export async function collectChanges(options: ChangesOptions): Promise<readonly Change[]> {
  const { host, engine, docker, exec, packages = [] } = options;
  const root = createRoot(host, exec);
  const record = await createSystemRecord(root).list();
  // Another engine, such as a rootless one that DOCKER_HOST names, is not the one that was installed.
  const isInstalled = engine === undefined || isSystemEngine(host, engine);
  const isOurs = isInstalled && record.some(({ id }) => id === engineChange);
  const begun = new Set(record.flatMap(({ id, ended }) => (ended ? [] : [id])));
  const changes = [
    ...(engine === undefined
      ? await planInstall(root, options, isOurs)
      : [
          // A killed run has installed it in part, and it is running all the same.
          ...(isOurs && begun.has(engineChange) && host.hasApt ? [await installEngine(root, exec)] : []),
          ...(await planSettings(root, engine, options, isOurs)),
        ]),
    ...(packages.length > 0 && host.hasApt
      ? [
          await installPackages(root, exec, {
            id: 'install-build-tools',
            title: `${packages.join(', ')} installed with apt`,
            why: 'images that cannot be pulled are built from packages',
            packages,
          }),
        ]
      : []),
    ...(docker && !engine?.inVirtualMachine ? await planInotify(root, options, docker) : []),
  ];
  const isNeeded = await Promise.all(
    changes.map(async (change) => begun.has(change.id) || (await change.isNeeded())),
  );
  const needed = changes.filter((_, index) => isNeeded[index]);
  const firstInstallation = needed.findIndex(({ id }) => id.startsWith('install-'));
  const finish = finishPackages(root, exec);
  if (firstInstallation === -1 || !(await finish.isNeeded())) return needed;
  return needed.toSpliced(firstInstallation, 0, finish);
}

/**
 * The changes as a plan: a stage for each, since they build on each other. Each is recorded before it is made and when
 * it has ended, and skipped when it is no longer needed.
 */
export function planChanges(
  changes: readonly Change[],
  { host, exec }: Pick<ChangesOptions, 'host' | 'exec'>,
): Plan {
  const record = createSystemRecord(createRoot(host, exec));
  const findRecorded = async ({ id }: Change) => (await record.list()).find((entry) => entry.id === id);
  return changes.map((change) => ({
    title: 'This machine',
    steps: [
      {
        title: change.title,
        async isDone() {
          const recorded = await findRecorded(change);
          return recorded?.ended !== false && !(await change.isNeeded()) && 'already done';
        },
        async apply(run) {
          const recorded = await findRecorded(change);
          await record.begin(change);
          try {
            if (await change.isNeeded()) await change.apply(run);
          } catch (error) {
            if (await change.isUntouched?.()) await record.restore(change.id, recorded);
            throw error;
          }
          await record.add(change);
        },
      },
    ],
  }));
}

/** Whether it is the engine that a Debian package installs. */
function isSystemEngine({ root }: Host, { socket, rootless }: Engine): boolean {
  return !rootless && [defaultSocket, '/run/docker.sock'].some((path) => socket === join(root, path));
}

/** The text that the user confirms, one of three lines per change. */
export function describeChanges(changes: readonly Change[]): readonly string[] {
  return changes.map(({ title, why, detail }) => `${title}\n    why   ${why}\n    does  ${detail}`);
}

/** No engine is running: installs and starts one, where this tool may. */
async function planInstall(root: Root, options: ChangesOptions, isOurs: boolean): Promise<readonly Change[]> {
  const { host, exec, signal } = options;
  const failure = await getEngine(host, { signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure === undefined) return [];
  const [address] = await listEngineAddresses(host);
  const isFree = address?.undo === undefined && (host.dockerd === undefined || isOurs);
  if (!host.hasApt || !isFree) throw await withInstallHint(failure, host);

  const settings: EngineSettings = {
    ...(host.mtu !== undefined && host.mtu < defaultMtu ? { mtu: host.mtu } : {}),
    withoutSysResource: !host.canRaiseLimits,
  };
  return [
    // Before the package, since installing it starts the engine on systems with systemd.
    await setEngineSettings(root, settings),
    await installEngine(root, exec),
    ...(host.isRoot ? [] : [joinDockerGroup(root, exec, host.user)]),
    startEngine(root, startOptions(options)),
  ];
}

function installEngine(root: Root, exec: Exec): Promise<Change> {
  return installPackages(root, exec, {
    id: engineChange,
    title: 'Docker installed with apt',
    why: 'the cluster runs in containers, and no container engine is installed',
    packages: ['docker.io'],
    // Newer releases split the client and its builder into packages of their own.
    ifAvailable: ['docker-cli', 'docker-buildx'],
  });
}

/** An engine is running: where this tool installed it and it cannot run a node, configures and restarts it. */
async function planSettings(
  root: Root,
  engine: Engine,
  options: ChangesOptions,
  isOurs: boolean,
): Promise<readonly Change[]> {
  const { host, docker, signal } = options;
  const problem = docker && (await findPrivilegedProblem(docker, engine.arch, signal));
  if (problem && (problem.kind === 'other' || !isOurs)) throw toPrivilegedFailure(host, engine, problem);

  const isLarger = host.mtu !== undefined && host.mtu < (engine.mtu ?? defaultMtu);
  const settings: EngineSettings = {
    mtu: isOurs && isLarger ? host.mtu : undefined,
    withoutSysResource: problem !== undefined,
  };
  if (settings.mtu === undefined && !settings.withoutSysResource) return [];
  const why = 'it reads its settings when it starts';
  return [await setEngineSettings(root, settings), restartEngine(root, { ...startOptions(options), why })];
}

async function planInotify(
  root: Root,
  { host, workers, signal }: ChangesOptions,
  docker: Docker,
): Promise<readonly Change[]> {
  const low = lowInotify(host.inotify, await countNodes(docker, workers, signal));
  return Object.keys(low).length === 0 ? [] : [raiseInotify(root, low)];
}

function startOptions({ host, paths }: ChangesOptions) {
  const isRunning = async () => {
    try {
      await getEngine(host);
      return true;
    } catch (error) {
      // It is running, but this user may not use it yet: the first use reports that.
      return error instanceof EngineFailure && error.problem === 'denied';
    }
  };
  return { host, log: join(paths.state, 'logs/dockerd.log'), isRunning };
}

/** The failure; where no engine is installed, with the command that installs one on this system. */
async function withInstallHint(failure: unknown, host: Host): Promise<unknown> {
  if (!(failure instanceof EngineFailure) || failure.problem !== 'absent') return failure;
  return new EngineFailure(
    'absent',
    `no container engine is installed, and ${host.name} has no apt to install one`,
    {
      hint: await installCommand(host),
    },
  );
}

async function installCommand({ platform, env }: Host): Promise<string> {
  if (platform === 'darwin') return 'brew install docker colima && colima start';
  const managers = [
    ['dnf', 'sudo dnf install moby-engine && sudo systemctl enable --now docker'],
    ['pacman', 'sudo pacman -S docker && sudo systemctl enable --now docker'],
    ['zypper', 'sudo zypper install docker && sudo systemctl enable --now docker'],
    ['apk', 'sudo apk add docker && sudo rc-service docker start'],
  ] as const;
  for (const [program, command] of managers) if (await findProgram(program, env.PATH)) return command;
  return 'install Docker Engine 20.10 or newer, start it, then run this again';
}

function toPrivilegedFailure(
  host: Host,
  engine: Engine,
  { kind, message }: PrivilegedProblem,
): EngineFailure {
  const restart = host.hasSystemd ? 'sudo systemctl restart docker' : 'sudo service docker restart';
  const settings = JSON.stringify(toDaemonSettings({ withoutSysResource: true }));
  const repair = [
    `sudo install -D -m 0755 ${wrapperSource} ${wrapperPath}`,
    `echo '${settings}' | sudo tee ${settingsFile}   # or add these keys to the existing ones`,
    restart,
  ];
  return new EngineFailure(
    'broken',
    'this container engine does not start privileged containers, which nodes are',
    {
      cause: message,
      hint: kind === 'sys-resource' && !engine.inVirtualMachine ? repair.join('\n') : restart,
    },
  );
}
