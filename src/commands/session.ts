import { join } from 'node:path';
import { createReleases, type Releases } from '../cluster/releases.ts';
import { createSnapshots, type Snapshots } from '../cluster/snapshot.ts';
import type { Engine } from '../machine/engine.ts';
import { createDocker } from '../tools/docker.ts';
import { createDockerCli } from '../tools/docker-cli.ts';
import { createHelm } from '../tools/helm.ts';
import { createKind } from '../tools/kind.ts';
import { createKubectl } from '../tools/kubectl.ts';
import { createNodes } from '../tools/nodes.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import type { App } from './command.ts';

/** The outside world of one cluster, connected: what commands that act on it share. */
export interface Session {
  readonly toolchain: Toolchain;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
}

/** Connects to the engine and, through the private kubeconfig, to the cluster of this name. Asks neither anything. */
export function openSession(
  { paths, exec }: Pick<App, 'paths' | 'exec'>,
  engine: Pick<Engine, 'socket'>,
  cluster: string,
): Session {
  const bin = join(paths.state, 'bin');
  const access = { kubeconfig: join(paths.state, 'kubeconfig'), context: `kind-${cluster}` };
  const docker = createDocker(engine, exec);
  const dockerCli = createDockerCli(exec, docker.env);
  const kubectl = createKubectl(exec, { program: join(bin, 'kubectl'), ...access });
  return {
    toolchain: {
      docker,
      dockerCli,
      nodes: createNodes(dockerCli),
      kind: createKind(exec, { program: join(bin, 'kind'), env: docker.env }),
      kubectl,
      helm: createHelm(exec, { program: join(bin, 'helm'), ...access }),
    },
    snapshots: createSnapshots(kubectl),
    releases: createReleases(kubectl),
  };
}
