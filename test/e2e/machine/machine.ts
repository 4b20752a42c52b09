import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '../../../src/machine/host.ts';
import { findPaths } from '../../../src/state/paths.ts';
import { exec } from '../../../src/tools/exec.ts';
import { toRootsFolder } from '../../../src/tools/root-folder.ts';
import { copyCheckout } from '../checkout.ts';
import { type Ended, start } from '../running.ts';
import { ensureMachineImage } from './machine-image.ts';

/** How Docker 26 stores images: in overlay2's folders, or in containerd, which will be the default. */
export type ImageStore = 'overlay2' | 'containerd';

/**
 * An ordinary machine beside this one: Debian 13 with a normal user, in a privileged container with its own processes,
 * network and Docker. Kernel and cgroup version are this machine's, and it has no systemd.
 */
export interface Machine {
  /** Runs a line as its user, by a new login in the folder of the checkout. The user's cache is a copy of this user's. */
  run(line: string): Promise<Ended>;
  /** Runs several lines in one session. @throws {Error} with the output when they fail. */
  asRoot(line: string): Promise<string>;
  remove(): Promise<void>;
}

const user = 'dev';
const home = `/home/${user}`;
const checkout = `${home}/wealist-local`;
const label = 'wealist.local/machine';

/** Starts a machine without Docker, whose Docker will use this store once it is installed. */
export async function startMachine(store: ImageStore, report: (line: string) => void): Promise<Machine> {
  await removeLeftMachines();
  const image = await ensureMachineImage(report);
  const name = `wealist-machine-${process.pid}-${randomBytes(3).toString('hex')}`;
  const docker = async (...args: string[]) => (await exec('docker', args)).stdout;
  const asRoot = (line: string) => docker('exec', name, 'bash', '-ec', line);
  const remove = () => docker('rm', '--force', '--volumes', name).then(() => {});

  await docker(
    ...['run', '--detach', '--name', name, '--hostname', 'machine', `--label=${label}=${process.pid}`],
    ...['--privileged', '--cgroupns=private', '--tmpfs=/run:exec', '--tmpfs=/tmp:exec,mode=1777,size=4g'],
    // Docker cannot store images on the overlay of another one.
    ...['--volume=/var/lib/docker', '--volume=/home', ...(await mountNode()), image],
    // As the first process it must read the exit codes of others, which bash does.
    ...['bash', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'],
  );
  try {
    await asRoot(`
      # Otherwise the engine of a machine with cgroup v1 gives all its nodes one cgroup of version 2, where they collide.
      if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p /sys/fs/cgroup/unified
        mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
      fi
      useradd --create-home --shell /bin/bash --groups sudo ${user}
      echo '${user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${user}
      mkdir -p /etc/docker ${home}/.cache ${home}/.config/go
      echo '{"features":{"containerd-snapshotter":${store === 'containerd'}}}' >/etc/docker/daemon.json
      [ -e /usr/local/bin/npm ] || ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
      ln -sf ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx`);
    await copySettings(name);
    await copyFiles(name);
    await asRoot(`chown -R ${user}: ${home} && apt-get -q update`);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    run: (line) => {
      const login = ['su', '--login', user, '--command', `cd ${checkout} && ${line}`];
      return start(['docker', 'exec', name, ...login], { cwd: '/', env: process.env }).ended;
    },
    asRoot,
    remove,
  };
}

/** Removes machines of test runs that were killed. */
async function removeLeftMachines(): Promise<void> {
  const format = `{{.ID}} {{.Label "${label}"}}`;
  const { stdout } = await exec('docker', ['ps', '--all', `--filter=label=${label}`, '--format', format]);
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [id = '', pid] = line.split(' ');
    const isRunning = await access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );
    if (!isRunning) await exec('docker', ['rm', '--force', '--volumes', id]);
  }
}

/** This machine's Node and npm, so that the machine has the version that is tested; and Go, where it is installed. */
async function mountNode(): Promise<readonly string[]> {
  const npm = await realpath((await findProgram('npm', process.env.PATH)) ?? '');
  const go = await exec('go', ['env', 'GOROOT']).catch(() => undefined);
  return [
    `--volume=${process.execPath}:/usr/local/bin/node:ro`,
    `--volume=${dirname(dirname(npm))}:/usr/local/lib/node_modules/npm:ro`,
    ...(go ? [`--volume=${go.stdout.trim()}:/usr/local/go:ro`] : []),
  ];
}

/** The mirrors of npm and Go, and the certificates of a network that has its own. apt's mirrors are in the image. */
async function copySettings(name: string): Promise<void> {
  const get = async (program: string, args: readonly string[]) =>
    (await exec(program, args).catch(() => ({ stdout: '' }))).stdout.trim();
  const registry = await get('npm', ['config', 'get', 'registry']);
  const go = await get('go', ['env', 'GOPROXY', 'GOSUMDB', 'GONOSUMDB']);
  const [proxy = '', sums = '', unsummed = ''] = go.split('\n');
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const files = {
    [`${home}/.npmrc`]: `registry=${registry}\ncafile=${certificates}\n`,
    [`${home}/.config/go/env`]: `GOPROXY=${proxy}\nGOSUMDB=${sums}\nGONOSUMDB=${unsummed}\n`,
    '/etc/environment': `NODE_EXTRA_CA_CERTS=${certificates}\nSSL_CERT_FILE=${certificates}\n`,
    '/etc/profile.d/go.sh': 'PATH=/usr/local/go/bin:$PATH\n',
  };
  const folder = await mkdtemp(join(toRootsFolder(), 'wealist-machine-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await writeFile(join(folder, basename(path)), content);
      await exec('docker', ['cp', join(folder, basename(path)), `${name}:${path}`]);
    }
    await exec('docker', ['cp', '--follow-link', certificates, `${name}:${certificates}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The checkout with uncommitted changes, and this user's cache without what only builds need. */
async function copyFiles(name: string): Promise<void> {
  const folder = await mkdtemp(join(toRootsFolder(), 'wealist-machine-'));
  try {
    await copyCheckout(folder);
    await pipe(['tar', '-C', folder, '-c', '.'], name, checkout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { cache } = findPaths();
  const excluded = ['go', 'locks', 'ports', 'work'].map((each) => `--exclude=./${each}`);
  await pipe(['tar', '-C', cache, '-c', ...excluded, '.'], name, `${home}/.cache/wealist-local`);
}

/** Unpacks the tar that a program writes in a folder of the machine. */
async function pipe([program = '', ...args]: readonly string[], name: string, folder: string): Promise<void> {
  const writer = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const unpack = `mkdir -p ${folder} && tar -C ${folder} -x --no-same-owner`;
  const input = writer.stdout;
  await exec('docker', ['exec', '--interactive', name, 'bash', '-c', unpack], { input });
}
