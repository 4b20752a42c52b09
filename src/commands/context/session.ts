import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { createNodeWatch } from '../../cluster/node-watch.ts';
import { createReleases, type Releases } from '../../cluster/releases.ts';
import { createApiSnapshots } from '../../diagnosis/api-snapshots.ts';
import type { Snapshots } from '../../diagnosis/snapshot.ts';
import type { Watch } from '../../lib/watchdog.ts';
import type { Engine } from '../../machine/engine.ts';
import { createDockerCli } from '../../tools/docker/cli.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import { createNodes } from '../../tools/docker/nodes.ts';
import { createHelm } from '../../tools/helm.ts';
import { createKind, toKubeContext } from '../../tools/kind.ts';
import type { ApiServer } from '../../tools/kubernetes/api-server.ts';
import { createKubectl } from '../../tools/kubernetes/kubectl.ts';
import { createApiOpener } from '../../tools/kubernetes/open-api.ts';
import type { Toolchain } from '../../tools/toolchain.ts';

/** The tools and the API of one cluster, for commands that change it. */
export interface Session {
  readonly toolchain: Toolchain;
  /** Ends calls to the cluster that cannot end by themselves, because a node is paused. */
  readonly watch: Watch;
  /** @throws {Failure} exit code 5 when there is no cluster whose kubeconfig could be read. */
  openApi(): Promise<ApiServer>;
  readonly snapshots: Snapshots;
  readonly releases: Releases;
}

/** Prepares the tools for an engine and, by the private kubeconfig, the cluster of this name. Sends no request to either. */
export function openSession(
  { paths, exec }: Pick<App, 'paths' | 'exec'>,
  engine: Pick<Engine, 'socket'>,
  cluster: string,
): Session {
  const bin = join(paths.state, 'bin');
  const access = { kubeconfig: join(paths.state, 'kubeconfig'), context: toKubeContext(cluster) };
  const docker = createDocker(engine, exec);
  const dockerCli = createDockerCli(exec, docker);
  const openApi = createApiOpener(access.kubeconfig, access.context, exec);
  return {
    toolchain: {
      docker,
      dockerCli,
      nodes: createNodes(dockerCli),
      kind: createKind(exec, { program: join(bin, 'kind'), env: docker.env }),
      kubectl: createKubectl(exec, { program: join(bin, 'kubectl'), ...access }),
      helm: createHelm(exec, { program: join(bin, 'helm'), ...access }),
    },
    watch: createNodeWatch(docker, cluster),
    openApi,
    snapshots: createApiSnapshots(openApi),
    releases: createReleases(openApi),
  };
}
