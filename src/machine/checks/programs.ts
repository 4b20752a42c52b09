import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findBuildClient, isTooOld } from '../build-client.ts';
import { findProgram } from '../host.ts';
import type { MakeCheck } from './check.ts';

/** kind uses the docker program, and so do builds of services with a Dockerfile. */
export const checkDockerClient: MakeCheck = async ({ host, exec, docker }) => {
  const id = 'docker-client';
  const title = 'docker client';
  const client = await findBuildClient(host, exec, docker?.env ?? {});
  const onPath = await findProgram('docker', host.env.PATH);
  if (client === undefined || onPath === undefined) {
    const fix = host.hasApt
      ? 'sudo apt-get install docker-cli || sudo apt-get install docker.io'
      : 'install the docker client';
    return [{ id, title, state: 'fail', detail: 'docker is not on PATH', fix }];
  }
  if (docker && (await isTooOld(onPath, exec, docker.env))) {
    const detail = `${onPath} is too old for the container engine`;
    return [
      { id, title, state: 'fail', detail, fix: 'install a docker client of the version of the engine' },
    ];
  }
  if (!client.buildKit) {
    const detail = `${client.program}, without BuildKit: a Dockerfile that needs it cannot be built`;
    return [{ id, title, state: 'warn', detail, fix: 'install the docker buildx plugin' }];
  }
  return [{ id, title, state: 'ok', detail: `${onPath}; builds with ${client.program}` }];
};

/** After `sudo docker login` the folder is owned by root, and docker fails without sudo. */
export const checkDockerFolder: MakeCheck = async ({ host }) => {
  const folder = host.env.DOCKER_CONFIG || join(host.home, '.docker');
  const owner = await stat(folder).then(
    ({ uid }) => uid,
    () => undefined,
  );
  if (owner !== 0 || host.isRoot) return [];
  return [
    {
      id: 'docker-folder',
      title: "docker's folder",
      state: 'warn',
      detail: `${folder} is owned by root`,
      fix: `sudo chown -R ${host.user} ${folder}`,
    },
  ];
};

const oldestGo = [1, 24] as const;

/** Kubernetes and Traefik are Go modules; this version of Go downloads a newer one where they need it. */
export const checkGo: MakeCheck = async ({ exec, demand, signal }) => {
  if (demand.partsToBuild.programs === 0) return [];
  const id = 'go';
  const title = 'Go';
  const fix = 'install Go 1.24 or newer and put its bin folder on PATH';
  const { stdout } = await exec('go', ['env', 'GOVERSION'], { timeout: 5_000, signal }).catch(() => ({
    stdout: '',
  }));
  const version = /^go(\d+)\.(\d+)/.exec(stdout.trim());
  if (version === null)
    return [{ id, title, state: 'fail', detail: 'go is not on PATH, and images must be built', fix }];
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const isNewEnough = major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1]);
  const detail = stdout.trim().slice('go'.length);
  return [
    isNewEnough
      ? { id, title, state: 'ok', detail }
      : { id, title, state: 'fail', detail: `${detail} is older than ${oldestGo.join('.')}`, fix },
  ];
};

/** What is not a Go program in built images comes from Debian packages. */
export const checkApt: MakeCheck = ({ host, demand }) => {
  if (demand.partsToBuild.roots === 0) return [];
  return [
    host.hasApt
      ? { id: 'apt', title: 'apt', state: 'ok', detail: host.name }
      : {
          id: 'apt',
          title: 'apt',
          state: 'fail',
          detail: `${host.name} has no apt, and images must be built from Debian packages`,
          fix: 'set registry.mirror in env/local.yaml to a registry that can be reached',
        },
  ];
};
