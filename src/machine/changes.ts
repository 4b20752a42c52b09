import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { Paths } from '../state/paths.ts';
import type { Docker } from '../tools/docker/docker.ts';
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

/** In the record, also when it was only begun, says that the engine is this tool's to install, to set and to start. */
const engineChange = 'install-docker';
const defaultMtu = 1500;

export interface ChangesOptions {
  readonly host: Host;
  /** What `findEngine` found. */
  readonly engine: Engine | undefined;
  /** The port of that engine where a node will be made: what a node takes is tried and counted. */
  readonly docker?: Docker | undefined;
  readonly exec: Exec;
  readonly paths: Paths;
  /** Debian packages that are needed beside the engine: what builds images. Installed with apt where there is apt. */
  readonly packages?: readonly string[];
  /** Nodes of the cluster that will be made, beside its control plane. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * What must change on this system before a cluster can be made, in the order of doing it; empty when nothing must.
 * Changes nothing itself, but for a privileged container that is tried and removed.
 * @throws {EngineFailure} when the engine is missing or unfit, and is not this tool's to install or to set.
 */
export async function collectChanges(options: ChangesOptions): Promise<readonly Change[]> {
  const { host, engine, docker, exec, packages = [] } = options;
  const root = createRoot(host, exec);
  const record = await createSystemRecord(root).list();
  const isOurs = record.some(({ id }) => id === engineChange);
  const begun = new Set(record.flatMap(({ id, ended }) => (ended ? [] : [id])));
  const changes = [
    ...(engine === undefined
      ? await bringEngine(root, options, isOurs)
      : [
          // A killed run has installed it in part, and it runs all the same.
          ...(begun.has(engineChange) && host.hasApt ? [installEngine(root, exec)] : []),
          ...(await fitEngine(root, engine, options, isOurs)),
        ]),
    ...(packages.length > 0 && host.hasApt
      ? [
          installPackages(root, exec, {
            id: 'install-build-tools',
            title: `${packages.join(', ')} installed with apt`,
            why: 'images that cannot be pulled are built from packages',
            packages,
          }),
        ]
      : []),
    ...(docker && !engine?.inVirtualMachine ? await fitInotify(root, options, docker) : []),
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
 * The changes as a plan that makes them: a stage for each, since they build on each other. Each is recorded before it is
 * made and when it has ended; what is no longer needed is left out.
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
          return recorded?.ended !== false && !(await change.isNeeded()) && 'already so';
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

/** What a person agrees to, one text per change, of three lines. */
export function describeChanges(changes: readonly Change[]): readonly string[] {
  return changes.map(({ title, why, detail }) => `${title}\n    why   ${why}\n    does  ${detail}`);
}

/** No engine runs: installed and started where that is ours to do. */
async function bringEngine(root: Root, options: ChangesOptions, isOurs: boolean): Promise<readonly Change[]> {
  const { host, exec, signal } = options;
  const failure = await getEngine(host, { signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure === undefined) return [];
  const [address] = await listEngineAddresses(host);
  const isFree = address?.undo === undefined && (host.dockerd === undefined || isOurs);
  if (!host.hasApt || !isFree) throw await orInstall(failure, host);

  const settings: EngineSettings = {
    ...(host.mtu !== undefined && host.mtu < defaultMtu ? { mtu: host.mtu } : {}),
    withoutSysResource: !host.canRaiseLimits,
  };
  return [
    // Before the package, which starts the engine where there is systemd.
    setEngineSettings(root, settings),
    installEngine(root, exec),
    ...(host.isRoot ? [] : [joinDockerGroup(root, exec, host.user)]),
    startEngine(root, startOptions(options)),
  ];
}

function installEngine(root: Root, exec: Exec): Change {
  return installPackages(root, exec, {
    id: engineChange,
    title: 'Docker installed with apt',
    why: 'the cluster runs in containers, and no container engine is installed',
    packages: ['docker.io'],
    // Newer releases have the client and its builder in packages of their own.
    ifOffered: ['docker-cli', 'docker-buildx'],
  });
}

/** An engine runs: where it is this tool's own and could not run a node, it is set and restarted. */
async function fitEngine(
  root: Root,
  engine: Engine,
  options: ChangesOptions,
  isOurs: boolean,
): Promise<readonly Change[]> {
  const { host, docker, signal } = options;
  const problem = docker && (await findPrivilegedProblem(docker, engine.arch, signal));
  if (problem && (problem.kind === 'other' || !isOurs)) throw noPrivileged(host, engine, problem);

  const isLarger = host.mtu !== undefined && host.mtu < (engine.mtu ?? defaultMtu);
  const settings: EngineSettings = {
    mtu: isOurs && isLarger ? host.mtu : undefined,
    withoutSysResource: problem !== undefined,
  };
  if (settings.mtu === undefined && !settings.withoutSysResource) return [];
  const why = 'it reads its settings when it starts';
  return [setEngineSettings(root, settings), restartEngine(root, { ...startOptions(options), why })];
}

async function fitInotify(
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
      // It runs, and this user may not use it yet: that is said where it is used.
      return error instanceof EngineFailure && error.problem === 'denied';
    }
  };
  return { host, log: join(paths.state, 'logs/dockerd.log'), isRunning };
}

/** The failure; where nothing is installed at all, with the way to an engine on this kind of machine. */
async function orInstall(failure: unknown, host: Host): Promise<unknown> {
  if (!(failure instanceof EngineFailure) || failure.problem !== 'absent') return failure;
  return new EngineFailure(
    'absent',
    `no container engine is installed, and ${host.name} has no apt to do it with`,
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

function noPrivileged(host: Host, engine: Engine, { kind, message }: PrivilegedProblem): EngineFailure {
  const restart = host.hasSystemd ? 'sudo systemctl restart docker' : 'sudo service docker restart';
  const settings = JSON.stringify(toDaemonSettings({ withoutSysResource: true }));
  const repair = [
    `sudo install -D -m 0755 ${wrapperSource} ${wrapperPath}`,
    `echo '${settings}' | sudo tee ${settingsFile}   # or add these keys to those that are there`,
    restart,
  ];
  return new EngineFailure(
    'broken',
    'privileged containers, as nodes are, do not start in this container engine',
    {
      cause: message,
      hint: kind === 'sys-resource' && !engine.inVirtualMachine ? repair.join('\n') : restart,
    },
  );
}
