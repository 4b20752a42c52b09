import type { DockerCli } from './docker/cli.ts';
import type { Docker } from './docker/docker.ts';
import type { Nodes } from './docker/nodes.ts';
import type { Helm } from './helm.ts';
import type { Kind } from './kind.ts';
import type { Kubectl } from './kubernetes/kubectl.ts';

/** Everything outside this program that a plan's steps act on, as small ports. */
export interface Toolchain {
  readonly docker: Docker;
  readonly dockerCli: DockerCli;
  readonly nodes: Nodes;
  readonly kind: Kind;
  readonly kubectl: Kubectl;
  readonly helm: Helm;
}
